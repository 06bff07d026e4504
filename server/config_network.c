#include "server/config_network.h"

#include <stddef.h>
#include <strings.h>

#include "base/mem.h"

static const struct config_network preprod = {
	.name = "preprod",
	.rest_url = "https://api-staging.deltadefi.io",
	.stream_url = "wss://stream-staging.deltadefi.io",
};
static const struct config_network mainnet = {
	.name = "mainnet",
	.rest_url = "https://api.deltadefi.io",
	.stream_url = "wss://stream.deltadefi.io",
};
static const struct config_network simulated = {
	.name = "simulated",
	.rest_url = "http://127.0.0.1:8791",
	.stream_url = "ws://127.0.0.1:8791",
};

static const struct {
	const char *word;
	const struct config_network *network;
} words[] = {
	{ "testnet", &preprod }, { "preprod", &preprod },     { "staging", &preprod },
	{ "mainnet", &mainnet }, { "simulated", &simulated },
};

const struct config_network *config_network_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(words[i].word, word) == 0)
			return words[i].network;
	return NULL;
}

const struct config_network *config_network_fallback(void)
{
	return &preprod;
}
