/* loop.c: see loop.h. */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"
#include "net/transfer.h"

enum { EVENTS = 256 };

/* What an event's data says: a watch (pointers are even), or a socket of libcurl's. */
#define SOCKET_TAG 1

static void
place(struct pf_loop *loop, size_t at, struct pf_timer *timer)
{
	loop->heap[at - 1] = timer;
	timer->place = at;
}

static void
sift_up(struct pf_loop *loop, size_t at, struct pf_timer *timer)
{
	while (at > 1 && loop->heap[at / 2 - 1]->due > timer->due) {
		place(loop, at, loop->heap[at / 2 - 1]);
		at /= 2;
	}
	place(loop, at, timer);
}

static void
sift_down(struct pf_loop *loop, size_t at, struct pf_timer *timer)
{
	for (;;) {
		size_t child = 2 * at;
		if (child > loop->timer_count)
			break;
		if (child < loop->timer_count &&
		    loop->heap[child]->due < loop->heap[child - 1]->due)
			child++;
		if (loop->heap[child - 1]->due >= timer->due)
			break;
		place(loop, at, loop->heap[child - 1]);
		at = child;
	}
	place(loop, at, timer);
}

void
pf_timer_cancel(struct pf_loop *loop, struct pf_timer *timer)
{
	size_t at = timer->place;
	struct pf_timer *last;

	if (!at)
		return;
	timer->place = 0;
	last = loop->heap[--loop->timer_count];
	if (last == timer)
		return;
	if (at > 1 && loop->heap[at / 2 - 1]->due > last->due)
		sift_up(loop, at, last);
	else
		sift_down(loop, at, last);
}

int
pf_timer_set(struct pf_loop *loop, struct pf_timer *timer, double due, struct pf_error *err)
{
	int rc;

	pf_timer_cancel(loop, timer);
	rc = PF_GROW(loop->heap, loop->timer_capacity, loop->timer_count + 1, err);
	if (rc)
		return rc;
	timer->due = due;
	loop->timer_count++;
	sift_up(loop, loop->timer_count, timer);
	return 0;
}

int
pf_watch_add(struct pf_loop *loop, struct pf_watch *watch, struct pf_error *err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};

	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event))
		return pf_error_errno(err, "cannot wait for", "a descriptor");
	return 0;
}

void
pf_watch_remove(struct pf_loop *loop, struct pf_watch *watch)
{
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
}

/* libcurl tells which sockets it waits for; `known` is what we assigned to the socket. */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
	static char mark;
	struct pf_loop *loop = context;
	struct epoll_event event = {.data.u64 = (uint64_t)fd << 1 | SOCKET_TAG};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.events =
	    (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	/* a socket closed behind our back left epoll by itself, and its number may be another's now */
	if (epoll_ctl(loop->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event))
		epoll_ctl(loop->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
	curl_multi_assign(loop->multi, fd, &mark);
	return 0;
}

static void
drain(struct pf_loop *loop)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(loop->multi, &left))) {
		if (message->msg == CURLMSG_DONE)
			loop->finished(message->easy_handle, message->data.result);
	}
}

static void
on_curl_timer(struct pf_timer *timer, double now)
{
	struct pf_loop *loop = PF_CONTAINER(timer, struct pf_loop, curl_timer);
	int running;

	(void)now;
	curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	drain(loop);
}

/* Without memory for the timer, libcurl is asked again at its next event. */
static int
on_timeout(CURLM *multi, long milliseconds, void *context)
{
	struct pf_loop *loop = context;

	(void)multi;
	if (milliseconds < 0)
		pf_timer_cancel(loop, &loop->curl_timer);
	else if (pf_timer_set(
		     loop, &loop->curl_timer, pf_net_now() + (double)milliseconds * 1e-3, NULL))
		return -1;
	return 0;
}

int
pf_loop_init(struct pf_loop *loop, struct pf_error *err)
{
	int rc = pf_net_start(err);

	loop->epoll = -1;
	if (rc)
		return rc;
	loop->curl_timer.fire = on_curl_timer;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		return pf_error_errno(err, "cannot make", "an epoll descriptor");
	loop->multi = curl_multi_init();
	if (!loop->multi)
		return pf_error_nomem(err);
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
	return 0;
}

void
pf_loop_release(struct pf_loop *loop)
{
	curl_multi_cleanup(loop->multi);
	if (loop->epoll >= 0)
		close(loop->epoll);
	free(loop->heap);
	*loop = (struct pf_loop){.epoll = -1};
}

static void
fire_timers(struct pf_loop *loop)
{
	double now = pf_net_now();

	while (!loop->stop && loop->timer_count && loop->heap[0]->due <= now) {
		struct pf_timer *timer = loop->heap[0];
		pf_timer_cancel(loop, timer);
		timer->fire(timer, now);
	}
}

static int
wait_time(const struct pf_loop *loop)
{
	double left;

	if (!loop->timer_count)
		return -1;
	left = loop->heap[0]->due - pf_net_now();
	return left <= 0 ? 0 : left > 60 ? 60000 : (int)(left * 1e3) + 1;
}

static void
dispatch(struct pf_loop *loop, const struct epoll_event *event)
{
	int flags = 0, running;

	if (!(event->data.u64 & SOCKET_TAG)) {
		struct pf_watch *watch = event->data.ptr;
		watch->ready(watch);
		return;
	}
	flags |= event->events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0;
	flags |= event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
	flags |= event->events & EPOLLERR ? CURL_CSELECT_ERR : 0;
	curl_multi_socket_action(
	    loop->multi, (curl_socket_t)(event->data.u64 >> 1), flags, &running);
}

int
pf_loop_run(struct pf_loop *loop, struct pf_error *err)
{
	struct epoll_event events[EVENTS];

	while (!loop->stop) {
		int n;
		fire_timers(loop);
		if (loop->stop)
			break;
		n = epoll_wait(loop->epoll, events, EVENTS, wait_time(loop));
		if (n < 0 && errno != EINTR)
			return pf_error_errno(err, "cannot wait for", "events");
		for (int i = 0; i < n && !loop->stop; i++)
			dispatch(loop, &events[i]);
		drain(loop);
	}
	return 0;
}
