/* listener.h: which process of this machine listens at an address. */
#ifndef PF_BENCH_LISTENER_H
#define PF_BENCH_LISTENER_H

#include <netdb.h>
#include <sys/types.h>

/*
 * The process that listens at the address' port, by /proc/net/tcp and the open
 * files of all processes that we may look into; where several share the socket
 * (a master and its workers), the one whose parent doesn't. 0: none that we see.
 */
pid_t pf_listener_find(const struct addrinfo *address);

#endif
