/*
 * peer.c: see peer.h.
 *
 * All descriptors are gone through once, when the first thread asks: a port is listened
 * on by another descriptor than the one that is waited at, and a pipe is written to
 * through another. What can't be told, for want of rights or because the descriptor is of
 * another kind, stays unknown.
 */
#include "collect/agent/peer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "collect/agent/host.h"
#include "collect/agent/server.h"
#include "core/memory.h"

#define MS INT64_C(1000000) /* ns */

enum { PORTS = 1 << 16, MOST_DESCRIPTORS = 1 << 16, MOST_POLLED = 64 };

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static int
option_of(int fd, int option)
{
	int value = 0;
	socklen_t size = sizeof value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) ? -1 : value;
}

/* The socket's own port; 0: none, or of another family. */
static unsigned
port_of(const union address *a)
{
	switch (a->any.sa_family) {
	case AF_INET:
		return ntohs(a->in.sin_port);
	case AF_INET6:
		return ntohs(a->in6.sin6_port);
	default:
		return 0;
	}
}

/*
 * What kind of file it is, as the kernel knows it: a server of files that is gone may be what the threads wait
 * for, and must not be asked.
 */
static bool
look_at(int fd, struct statx *st)
{
	return !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, st);
}

/* ---- all descriptors ---- */

static struct pf_pipe
pipe_of(const struct statx *st)
{
	return (struct pf_pipe){makedev(st->stx_dev_major, st->stx_dev_minor), st->stx_ino};
}

/* A socket for whoever sends datagrams to a port that was chosen: a server of names, of measurements. */
static bool
takes_datagrams(const struct pf_peers *p, int fd)
{
	union address a = {0};
	socklen_t size = sizeof a;
	unsigned port;

	if (option_of(fd, SO_TYPE) != SOCK_DGRAM || !getpeername(fd, &a.any, &size) ||
	    errno != ENOTCONN)
		return false;
	size = sizeof a;
	port = getsockname(fd, &a.any, &size) ? 0 : port_of(&a);
	return port && !(p->low <= (long)port && (long)port <= p->high);
}

static void
note_descriptor(struct pf_peers *p, int fd)
{
	union address a = {0};
	socklen_t size = sizeof a;
	struct statx st;

	if (!look_at(fd, &st))
		return;
	if (S_ISFIFO(st.stx_mode)) {
		int flags = fcntl(fd, F_GETFL);

		if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY &&
		    !PF_GROW(p->written, p->written_capacity, p->written_count + 1, NULL))
			p->written[p->written_count++] = pipe_of(&st);
	} else if (S_ISSOCK(st.stx_mode) && option_of(fd, SO_ACCEPTCONN) == 1 &&
		   !getsockname(fd, &a.any, &size)) {
		unsigned port = port_of(&a);
		p->listening[port / 8] |= (uint8_t)(1U << port % 8);
		p->listens |= !pf_server_listens_at(fd);
	} else if (S_ISSOCK(st.stx_mode)) {
		p->listens |= takes_datagrams(p, fd);
	}
}

static void
look(struct pf_peers *p)
{
	char range[64];
	DIR *dir;
	struct dirent *entry;
	int seen = 0;

	p->looked = true;
	/* What a filter forbids may end the process. */
	if (pf_host_confined() || !(p->listening = calloc(1, PORTS / 8)) ||
	    !(dir = opendir("/proc/self/fd")))
		return;
	if (pf_host_read_file("/proc/sys/net/ipv4/ip_local_port_range", range, sizeof range) > 0) {
		char *at = range;
		p->low = strtol(at, &at, 10);
		p->high = strtol(at, &at, 10);
	}
	while ((entry = readdir(dir)) && seen++ < MOST_DESCRIPTORS)
		if (*entry->d_name != '.')
			note_descriptor(p, (int)strtol(entry->d_name, NULL, 10));
	p->usable = !entry; /* else it may be among those that were not seen */
	closedir(dir);
}

/* ---- one of them ---- */

/*
 * Whoever connects is given a port by the kernel, unless it asks for one; a port outside of that range that nobody
 * listens on here was accepted by another process.
 */
static enum pf_peer
of_port(const struct pf_peers *p, unsigned port, int type)
{
	bool listened = p->listening[port / 8] >> port % 8 & 1, chosen;

	if (!port)
		return PF_PEER_UNKNOWN;
	chosen = p->low <= (long)port && (long)port <= p->high;
	/* Datagrams may come from anybody; of which socket they are an answer, nothing tells. */
	if (type != SOCK_STREAM)
		return chosen || !p->high ? PF_PEER_UNKNOWN : PF_PEER_CLIENT;
	if (listened)
		return PF_PEER_CLIENT;
	if (!p->high)
		return PF_PEER_UNKNOWN;
	return chosen ? PF_PEER_SERVER : PF_PEER_CLIENT;
}

/*
 * An accepted one has its listener's name; one that connects hardly ever has a name, but its peer has. Of a pair
 * neither has one, and who has the other end nothing tells: its credentials are those of the process that made the
 * pair, which may have been this one's parent.
 */
static enum pf_peer
of_local(int fd, socklen_t size)
{
	union address a = {0};
	struct ucred peer = {0};
	socklen_t name_size = sizeof a, peer_size = sizeof peer;

	if (size > sizeof(sa_family_t))
		return PF_PEER_CLIENT;
	if (getpeername(fd, &a.any, &name_size) || name_size <= sizeof(sa_family_t))
		return PF_PEER_UNKNOWN;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) || !peer.pid)
		return PF_PEER_UNKNOWN;
	return peer.pid == getpid() ? PF_PEER_UNKNOWN : PF_PEER_SERVER;
}

static enum pf_peer
of_socket(const struct pf_peers *p, int fd)
{
	union address a = {0};
	socklen_t size = sizeof a;

	if (option_of(fd, SO_ACCEPTCONN) == 1)
		return PF_PEER_CLIENT;
	if (getsockname(fd, &a.any, &size))
		return PF_PEER_UNKNOWN;
	if (a.any.sa_family == AF_UNIX)
		return of_local(fd, size);
	return of_port(p, port_of(&a), option_of(fd, SO_TYPE));
}

static enum pf_peer
of_pipe(const struct pf_peers *p, struct pf_pipe one)
{
	for (size_t i = 0; i < p->written_count; i++)
		if (p->written[i].device == one.device && p->written[i].inode == one.inode)
			return PF_PEER_SELF;
	return PF_PEER_UNKNOWN;
}

static enum pf_peer
of_descriptor(const struct pf_peers *p, int fd)
{
	struct statx st;

	if (!look_at(fd, &st))
		return PF_PEER_UNKNOWN;
	switch (st.stx_mode & S_IFMT) {
	case S_IFSOCK:
		return of_socket(p, fd);
	case S_IFIFO:
		return of_pipe(p, pipe_of(&st));
	case S_IFREG:
	case S_IFBLK:
		return PF_PEER_FILE;
	case 0: /* eventfd, timerfd, signalfd, inotify */
		return PF_PEER_SELF;
	default:
		return PF_PEER_UNKNOWN;
	}
}

/* Who waits for a client and for somebody else as well is at rest; beside a server a pipe is for being woken. */
static enum pf_peer
of_poll(const struct pf_peers *p, uint64_t address, uint64_t count)
{
	struct pollfd polled[MOST_POLLED];
	bool seen[PF_PEER_FILE + 1] = {false};

	if (!count || count > MOST_POLLED ||
	    !pf_host_read_all(polled, (uintptr_t)address, count * sizeof *polled))
		return PF_PEER_UNKNOWN;
	for (size_t i = 0; i < count; i++)
		if (polled[i].fd >= 0)
			seen[of_descriptor(p, polled[i].fd)] = true;
	if (seen[PF_PEER_CLIENT])
		return PF_PEER_CLIENT;
	if (seen[PF_PEER_SERVER])
		return PF_PEER_SERVER;
	if (seen[PF_PEER_UNKNOWN])
		return PF_PEER_UNKNOWN;
	return seen[PF_PEER_SELF]   ? PF_PEER_SELF
	       : seen[PF_PEER_FILE] ? PF_PEER_FILE
				    : PF_PEER_UNKNOWN;
}

enum pf_peer
pf_peer_of(struct pf_peers *p, const struct pf_thread_state *state)
{
	bool polls = state->call == SYS_poll || state->call == SYS_ppoll;

	if (!polls && !pf_thread_call_has_fd(state->call))
		return PF_PEER_UNKNOWN;
	if (!p->looked)
		look(p);
	if (!p->usable)
		return PF_PEER_UNKNOWN;
	return polls ? of_poll(p, state->arguments[0], state->arguments[1])
		     : of_descriptor(p, (int)state->arguments[0]);
}

/* Whoever has been told to publish speaks unasked: its words are later than the last that it was sent. */
struct pf_peer_talk
pf_peer_talk_of(enum pf_peer peer, const struct pf_thread_state *state)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof info;

	if (peer != PF_PEER_SERVER || !pf_thread_call_has_fd(state->call) ||
	    getsockopt((int)state->arguments[0], IPPROTO_TCP, TCP_INFO, &info, &size) ||
	    size < offsetof(struct tcp_info, tcpi_last_ack_recv))
		return (struct pf_peer_talk){0};
	return (struct pf_peer_talk){.known = true,
	    .asked = info.tcpi_last_data_sent * MS,
	    .heard = info.tcpi_last_data_recv * MS};
}

void
pf_peers_release(struct pf_peers *p)
{
	free(p->listening);
	free(p->written);
	*p = (struct pf_peers){0};
}

const char *
pf_peer_word(enum pf_peer peer)
{
	static const char *const words[] = {
	    [PF_PEER_CLIENT] = "client",
	    [PF_PEER_SERVER] = "server",
	    [PF_PEER_SELF] = "self",
	    [PF_PEER_FILE] = "file",
	};

	return peer <= PF_PEER_FILE ? words[peer] : NULL;
}
