/*
 * files.h: the files that the agent leaves: profiles, and where it listens.
 *
 * A file exists whole or not at all: written under a temporary name in the same
 * folder, then renamed. Nothing read from outside chooses a name.
 */
#ifndef PF_AGENT_FILES_H
#define PF_AGENT_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "collect/agent/host.h"
#include "core/buffer.h"

/*
 * Compresses a whole buffer into `out` as gzip; where that is not possible
 * (memory), the bytes themselves: readers tell the two apart.
 */
int pf_files_gzip(const struct pf_buffer *in, struct pf_buffer *out);

/* Writes PROGRAM-PID-TIME.pb.gz into a folder; 0 or a negative errno. */
int pf_files_profile(const char *folder, const struct pf_buffer *profile);

/* One target of Prometheus' file_sd in PROGRAM-PID.json, as long as the process lives. */
struct pf_announcement {
	struct pf_own_fd lock; /* held locked: a reader or a successor can tell that we live */
	char path[1200];
};

/* Removes what processes left that were killed: of our making, and nobody holds its lock. */
void pf_announce_clean(const char *folder);
/* Writes it for an address we listen on, after cleaning up. */
int pf_announce(struct pf_announcement *a, const char *folder, const struct sockaddr *address);
/* Removes it. */
void pf_announce_end(struct pf_announcement *a);
/* In a forked child: forget it, it is the parent's. */
void pf_announce_forked(struct pf_announcement *a);

#endif
