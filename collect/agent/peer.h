/*
 * peer.h: for whose word a thread waits in a system call on a descriptor: a client's,
 * another server's, or one of its own process.
 *
 * A read says nothing of that: whoever serves a connection waits for the next request
 * in the same call as who has asked a database. What tells them apart is who opened the
 * connection, and that its own port tells: a client's has the one that is listened on.
 */
#ifndef PF_AGENT_PEER_H
#define PF_AGENT_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/agent/thread_state.h"

enum pf_peer {
	PF_PEER_UNKNOWN, /* or no wait on a descriptor */
	PF_PEER_CLIENT,  /* an accepted connection, or one that is still to be accepted */
	PF_PEER_SERVER,  /* a connection that this process made */
	PF_PEER_SELF,    /* a pipe that this process writes to, an eventfd, a timer */
	PF_PEER_FILE,
};

/* What is known of all descriptors of the process; zeroed before the first question. */
struct pf_peers {
	bool looked, usable;
	bool listens;       /* for clients: somewhere else than the agent does */
	uint8_t *listening; /* owned: a bit a port */
	struct pf_pipe {
		dev_t device;
		ino_t inode;
	} *written; /* owned: pipes of which this process has the end to write to */
	size_t written_count, written_capacity;
	long low, high; /* ports that the kernel chooses for whoever connects */
};

enum pf_peer pf_peer_of(struct pf_peers *p, const struct pf_thread_state *state);

/* How long ago bytes went either way on the TCP connection to a server that a thread waits at; ns. */
struct pf_peer_talk {
	bool known;
	int64_t asked, heard;
};
struct pf_peer_talk pf_peer_talk_of(enum pf_peer peer, const struct pf_thread_state *state);
void pf_peers_release(struct pf_peers *p);
/* "client" …; NULL if it is unknown. */
const char *pf_peer_word(enum pf_peer peer);

#endif
