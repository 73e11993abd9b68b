/*
 * profuse/fleet.h: a fleet of services, profiled continuously into a store.
 *
 * What to collect is said in a YAML file (docs/collect.md lists its keys). The
 * collector keeps running until it is told to stop (SIGINT, SIGTERM); SIGHUP or a
 * change of the file makes it read that again. It serves /metrics, /healthz and
 * /status on a loopback address.
 */
#ifndef PROFUSE_FLEET_H
#define PROFUSE_FLEET_H

#include <stdbool.h>
#include <stddef.h>

#include <profuse/error.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* What is given here beats the file. Strings are borrowed. Fill with PF_FLEET_OPTIONS_INIT. */
struct pf_fleet_options {
	size_t struct_size;
	const char *config; /* the file; needed */
	const char *store;  /* [the file's, else ./profuse-store] */
	const char *shard;  /* "i/n" [the file's, else all targets] */
	const char *listen; /* "HOST:PORT", or "" for none [the file's, else 127.0.0.1:2122] */
	const char *listen_token_file;
	int log_level;  /* 0 debug, 1 info, 2 warnings, 3 errors */
	int log_format; /* below 0: the file's; 0 logfmt, 1 JSON */
};
#define PF_FLEET_OPTIONS_INIT \
	{.struct_size = sizeof(struct pf_fleet_options), .log_level = 1, .log_format = -1}

/*
 * Reads the file and judges it. What is wrong (a line each, "FILE:LINE: key: …"), or
 * only worth knowing, is given to `tell`. PF_EUSAGE if anything is wrong.
 */
int pf_fleet_check(const char *config, void (*tell)(void *data, bool wrong, const char *line),
    void *data, struct pf_error *err);

/* Collects until told to stop: 0 then. PF_EUSAGE: the configuration; PF_EIO: store or address in use, … */
int pf_fleet_run(const struct pf_fleet_options *options,
    void (*tell)(void *data, bool wrong, const char *line), void *data, struct pf_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
