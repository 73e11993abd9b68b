/*
 * server.h: the agent's HTTP server: one thread, a few connections, no waiting.
 *
 * Nothing blocks: every connection has a deadline and a bounded buffer; when
 * all places are taken, the connection that has been silent longest while we
 * wait for its request makes room. The thread that runs this also drains
 * samples, so no step may take long.
 */
#ifndef PF_AGENT_SERVER_H
#define PF_AGENT_SERVER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/agent/config.h"

enum { PF_CONNECTIONS = 16, PF_SERVER_FDS = PF_CONNECTIONS + 1 };

/* Prepares to serve; nothing is opened yet. `config` outlives the server. */
void pf_server_init(const struct pf_config *config);

/*
 * Listens; 0 or a negative errno (-EADDRINUSE: pf_server_prepare tries again
 * once a second). Announces itself in PROFUSE_RUN_DIR.
 */
int pf_server_listen(void);

/*
 * Fills in what to poll for; how many. *wake is lowered to the time at which
 * there is something to do whatever comes in.
 */
size_t pf_server_prepare(struct pollfd *fds, int64_t now, int64_t *wake);

/* Does what poll has found and what is due. */
void pf_server_handle(const struct pollfd *fds, size_t count, int64_t now);

/* Makes a thread that waits in poll for the listener come back. */
void pf_server_nudge(void);

/* Whether a descriptor is the agent's own listener. */
bool pf_server_listens_at(int fd);

/* Closes everything and takes the announcement away. */
void pf_server_close(void);

/* In a forked child: closes what was inherited, frees nothing unless `tidy`. */
void pf_server_forked(bool tidy);

#endif
