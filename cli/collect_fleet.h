/* collect_fleet.h: profuse collect --config …, --check-config and collect status. */
#ifndef CLI_COLLECT_FLEET_H
#define CLI_COLLECT_FLEET_H

#include <profuse/fleet.h>

/* Collects until told to stop. */
int collect_fleet_run(const struct pf_fleet_options *options, struct pf_error *err);
/* Says everything that is wrong with the file; with `json` as an object on standard output. */
int collect_fleet_check(const char *config, bool json, struct pf_error *err);

struct collect_status_settings {
	const char *address; /* "HOST:PORT" or a URL; NULL: the usual one */
	const char *token_file, *ca_file;
	bool json;
};

/* Shows how a running collector is doing: again and again on a terminal, else once. */
int collect_status_show(const struct collect_status_settings *settings, struct pf_error *err);

#endif
