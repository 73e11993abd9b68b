/*
 * config.h: what the environment asks of the agent.
 *
 * Read once, at the start, with secure_getenv: a program that runs with more
 * rights than its caller takes no orders from the caller's environment.
 */
#ifndef PF_AGENT_CONFIG_H
#define PF_AGENT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "collect/agent/event.h"

enum { PF_TOKEN_MAX = 512, PF_PATH_MAX = 1024 };

struct pf_config {
	bool off;      /* PROFUSE_AGENT=off */
	bool listen;   /* the HTTP server is wanted and allowed */
	bool any_port; /* PROFUSE_PORT=auto */
	struct sockaddr_storage address;
	socklen_t address_size;
	char token[PF_TOKEN_MAX]; /* "" : none asked for */
	char run_dir[PF_PATH_MAX];
	char out_dir[PF_PATH_MAX]; /* "" : no files */
	int out_seconds;
	struct pf_event_wish event;
	uint64_t heap_period; /* mean bytes between sampled allocations; 0: none are */
	bool waits;           /* locks and conditions are watched */
};

/* Reads the environment. What can't be obeyed is said on standard error and left out. */
void pf_config_read(struct pf_config *config);

#endif
