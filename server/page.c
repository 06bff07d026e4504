#include "server/page.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define HASH_TEXT_LEN \
	sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, sodium_base64_VARIANT_ORIGINAL)

struct span {
	const char *at;
	size_t len;
};

/* What follows the first text in span; at: NULL when it is not there. */
static struct span behind(struct span span, const char *text)
{
	size_t len = strlen(text);
	const char *found = span.at ? memmem(span.at, span.len, text, len) : NULL;

	if (!found)
		return (struct span){ NULL, 0 };
	found += len;
	return (struct span){ found, span.len - (size_t)(found - span.at) };
}

static bool hash_element(struct span page, const char *name, char text[HASH_TEXT_LEN],
			 struct err *err)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char opening[16], closing[16];
	struct span content, rest;

	snprintf(opening, sizeof(opening), "<%s>", name);
	snprintf(closing, sizeof(closing), "</%s>", name);
	content = behind(page, opening);
	rest = behind(content, closing);
	if (!rest.at || behind(rest, opening).at)
		return err_set(err, ERR_INTERNAL, "the page has not one %s", opening);
	content.len -= rest.len + strlen(closing);
	crypto_hash_sha256(hash, (const unsigned char *)content.at, content.len);
	sodium_bin2base64(text, HASH_TEXT_LEN, hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
	return true;
}

bool page_policy(const char *page, size_t len, char policy[PAGE_POLICY_LEN], struct err *err)
{
	const struct span all = { page, len };
	char script[HASH_TEXT_LEN], style[HASH_TEXT_LEN];

	if (!hash_element(all, "script", script, err) || !hash_element(all, "style", style, err))
		return false;
	/* 'self' counts for ws: of the same host and port as well; data: is the page's icon. */
	snprintf(policy, PAGE_POLICY_LEN,
		 "default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; "
		 "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
		 "frame-ancestors 'none'",
		 script, style);
	return true;
}
