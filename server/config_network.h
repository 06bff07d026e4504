/* config_network.h - the exchange's networks and the words that people use for them. Pure.
 *
 * The hosts are those of the exchange's own SDKs. */
#ifndef SERVER_CONFIG_NETWORK_H
#define SERVER_CONFIG_NETWORK_H

struct config_network {
	const char *name; /* "preprod", "mainnet" or "simulated" */
	const char *rest_url;
	const char *stream_url;
};

/* testnet, preprod, staging, mainnet or simulated in any letter case; NULL for another word. */
const struct config_network *config_network_of(const char *word);
/* For an unknown mode: never the one that trades real money. */
const struct config_network *config_network_fallback(void);
#endif
