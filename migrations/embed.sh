#!/bin/sh
# embed.sh - writes the migrations named on the command line as C, for server/migrate.h.
# Bytes, not string literals: C promises only 4095 characters of those. Needs sed and od.
set -eu

echo '/* Made by migrations/embed.sh; not to be edited. */'
echo '#include "server/migrate.h"'
for file; do
	name=$(basename "$file" .sql)
	echo
	echo "static const unsigned char text_${name}[] = {"
	od -An -v -tu1 -w16 "$file" | sed 's/[0-9][0-9]*/&,/g'
	echo '0 };'
done
echo
echo 'const struct migration migrate_list[] = {'
for file; do
	name=$(basename "$file" .sql)
	version=$(echo "$name" | sed 's/^0*\([0-9]*\)_.*/\1/')
	echo "	{ $version, \"$name\", (const char *)text_$name },"
done
echo '};'
echo "const size_t migrate_count = $#;"
