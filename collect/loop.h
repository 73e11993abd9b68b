/*
 * loop.h: one thread, everything that happens: sockets, transfers, times.
 *
 * An epoll descriptor over libcurl's sockets (curl_multi's socket interface, so
 * that the cost of an event does not grow with the number of transfers) and
 * descriptors of our own, and a heap of timers on the monotonic clock.
 */
#ifndef PF_COLLECT_LOOP_H
#define PF_COLLECT_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

struct pf_error;

/* Lies in whatever it is for; a zeroed one is not set. Must be cancelled before that goes away. */
struct pf_timer {
	double due;
	size_t place; /* in the heap, from 1; 0: not set */
	void (*fire)(struct pf_timer *timer, double now);
};

/* The struct that a timer (or watch) lies in. */
#define PF_CONTAINER(POINTER, TYPE, MEMBER) ((TYPE *)((char *)(POINTER) - offsetof(TYPE, MEMBER)))

/* A descriptor of our own; readable is all we ask. */
struct pf_watch {
	int fd;
	void (*ready)(struct pf_watch *watch);
};

struct pf_loop {
	int epoll;
	CURLM *multi;
	struct pf_timer **heap; /* owned array of borrowed timers */
	size_t timer_count, timer_capacity;
	struct pf_timer curl_timer;
	/* Called for each transfer that has ended. */
	void (*finished)(CURL *easy, CURLcode result);
	bool stop;
};

/* Fills a zeroed struct. PF_EIO; PF_ENOMEM. */
int pf_loop_init(struct pf_loop *loop, struct pf_error *err);
void pf_loop_release(struct pf_loop *loop);

/* Sets a timer, or sets it anew. PF_ENOMEM: it is not set. */
int pf_timer_set(struct pf_loop *loop, struct pf_timer *timer, double due, struct pf_error *err);
void pf_timer_cancel(struct pf_loop *loop, struct pf_timer *timer);

int pf_watch_add(struct pf_loop *loop, struct pf_watch *watch, struct pf_error *err);
void pf_watch_remove(struct pf_loop *loop, struct pf_watch *watch);

/* Runs until loop->stop. PF_EIO. */
int pf_loop_run(struct pf_loop *loop, struct pf_error *err);

#endif
