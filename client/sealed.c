#include "client/sealed.h"

#include <jansson.h>
#include <sodium.h>
#include <string.h>

#include "base/secret.h"

/* Wipes the strings of an object, where this document keeps all that matters. */
static void destroy_json(json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) if (json_is_string(value))
		secret_wipe((void *)(uintptr_t)json_string_value(value), json_string_length(value));
	json_decref(object);
}

static bool decode_base64(const char *name, const json_t *value, uint8_t *bytes, size_t room,
			  size_t *len, struct err *err)
{
	if (!json_is_string(value))
		return err_set(err, ERR_OPKEY, "sealed operation key: no string under \"%s\"",
			       name);
	if (sodium_base642bin(bytes, room, json_string_value(value), json_string_length(value),
			      NULL, len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return err_set(err, ERR_OPKEY,
			       "sealed operation key: \"%s\" is too long or not base64", name);
	return true;
}

static bool read_salt(const json_t *salt, struct sealed *sealed, struct err *err)
{
	sealed->salt_len = 0;
	if (salt && !json_is_null(salt) &&
	    !decode_base64("salt", salt, sealed->salt, sizeof(sealed->salt), &sealed->salt_len,
			   err))
		return false;
	if (sealed->salt_len == 0) {
		memset(sealed->salt, 0, sealed->iv_len);
		sealed->salt_len = sealed->iv_len;
	}
	return true;
}

static bool read_fields(const json_t *object, struct sealed *sealed, struct err *err)
{
	if (!decode_base64("iv", json_object_get(object, "iv"), sealed->iv, sizeof(sealed->iv),
			   &sealed->iv_len, err) ||
	    !decode_base64("ciphertext", json_object_get(object, "ciphertext"), sealed->box,
			   sizeof(sealed->box), &sealed->box_len, err))
		return false;
	if (sealed->iv_len == 0)
		return err_set(err, ERR_OPKEY, "sealed operation key: \"iv\" is empty");
	if (sealed->box_len < SEALED_TAG_LEN)
		return err_set(err, ERR_OPKEY, "sealed operation key: \"ciphertext\" is too short");
	return read_salt(json_object_get(object, "salt"), sealed, err);
}

bool sealed_parse(const char *text, size_t len, struct sealed *sealed, struct err *err)
{
	json_t *object;
	bool ok;

	if (len > SEALED_TEXT_MAX)
		return err_set(err, ERR_OPKEY, "sealed operation key: longer than %d bytes",
			       SEALED_TEXT_MAX);
	/* jansson's own message would quote the text. */
	object = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	ok = json_is_object(object)
		     ? read_fields(object, sealed, err)
		     : err_set(err, ERR_OPKEY, "sealed operation key: not a JSON object");
	destroy_json(object);
	return ok;
}
