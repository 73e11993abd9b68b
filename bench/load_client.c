/* load_client.c: the client's time: when requests are due, the window, timeouts; see load_client.h. */
#include "bench/load_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "bench/load_loop.h"
#include "core/error.h"
#include "core/index.h"
#include "core/memory.h"

enum {
	EVENTS = 256,
	WAITING_MAXIMUM =
	    16 << 20, /* a million a second for 16 s; nobody's timeout should let it come to that */
};

static const int64_t second = 1000000000, tick = 50000000;
static const uint64_t timer_mark = UINT64_MAX, watch_mark = UINT64_MAX - 1,
		      stop_mark = UINT64_MAX - 2;

int64_t
pf_loop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * second + t.tv_nsec;
}

int
pf_load_result_init(struct pf_load_result *r, struct pf_error *err)
{
	/* From a microsecond to an hour, to three digits. */
	int rc;

	*r = (struct pf_load_result){0};
	rc = pf_histogram_init(&r->latency, 1000, 3600 * second, 3, err);
	if (!rc)
		rc = pf_histogram_init(&r->service, 1000, 3600 * second, 3, err);
	if (!rc)
		rc = pf_histogram_init(&r->lag, 1000, 3600 * second, 3, err);
	return rc;
}

void
pf_load_result_release(struct pf_load_result *r)
{
	pf_histogram_release(&r->latency);
	pf_histogram_release(&r->service);
	pf_histogram_release(&r->lag);
}

void
pf_loop_answered(struct pf_loop *l, const struct pf_flight *f, unsigned status)
{
	struct pf_load_result *r = l->result;

	r->completed += l->in_window && status < 400;
	if (!f->measured)
		return;
	pf_histogram_record(&r->latency, l->now - f->due);
	pf_histogram_record(&r->service, l->now - f->sent);
	r->answered++;
	r->failed_status += status >= 400;
}

void
pf_loop_failed(struct pf_loop *l, const struct pf_flight *f)
{
	l->result->failed_connection += f->measured;
}

void
pf_loop_timed_out(struct pf_loop *l, const struct pf_flight *f)
{
	if (!f->measured)
		return;
	l->result->timed_out++;
	/* It took at least this long: leaving it out would flatter the service. */
	pf_histogram_record(&l->result->latency, l->now - f->due);
}

/* At saturation a free connection sends the next request at once. */
static bool
next_at_once(struct pf_loop *l, struct pf_flight *f)
{
	if (!l->load->saturate || l->now >= l->end)
		return false;
	*f = (struct pf_flight){.request = &l->load->requests[l->schedule.request],
	    .due = l->now,
	    .measured = l->in_window};
	l->result->requests += f->measured;
	pf_schedule_next(&l->schedule);
	return true;
}

bool
pf_loop_take_waiting(struct pf_loop *l, struct pf_flight *f)
{
	if (!l->waiting_count)
		return next_at_once(l, f);
	*f = l->waiting[l->waiting_first];
	l->waiting_first = (l->waiting_first + 1) % l->waiting_capacity;
	l->waiting_count--;
	return true;
}

int
pf_loop_wait_in_line(struct pf_loop *l, const struct pf_flight *f, struct pf_error *err)
{
	if (l->waiting_count == l->waiting_capacity) {
		size_t grown = l->waiting_capacity ? 2 * l->waiting_capacity : 1024;
		struct pf_flight *ring;

		if (grown > WAITING_MAXIMUM)
			return pf_error_set(err, PF_EIO,
			    "over %zu requests wait for an answer: the service is far too slow for "
			    "this --rate",
			    l->waiting_count);
		ring = malloc(grown * sizeof *ring);
		if (!ring)
			return pf_error_nomem(err);
		for (size_t i = 0; i < l->waiting_count; i++)
			ring[i] = l->waiting[(l->waiting_first + i) % l->waiting_capacity];
		free(l->waiting);
		l->waiting = ring;
		l->waiting_first = 0;
		l->waiting_capacity = grown;
	}
	l->waiting[(l->waiting_first + l->waiting_count++) % l->waiting_capacity] = *f;
	return 0;
}

/* Everything that is due by now goes out. */
static int
send_due(struct pf_loop *l, struct pf_error *err)
{
	while (l->start + l->schedule.due <= l->now && l->start + l->schedule.due < l->end) {
		struct pf_flight f = {.request = &l->load->requests[l->schedule.request],
		    .due = l->start + l->schedule.due};
		int rc = 0;

		l->now = pf_loop_now();
		f.measured = f.due >= l->window;
		if (f.measured) {
			l->result->requests++;
			pf_histogram_record(&l->result->lag, l->now - f.due);
		}
		/* Those that wait already go first. */
		if (l->waiting_count || !l->transport->send(l, &f))
			rc = pf_loop_wait_in_line(l, &f, err);
		if (rc)
			return rc;
		pf_schedule_next(&l->schedule);
	}
	return 0;
}

/* Opens and closes the measured window when its time has come. */
static int
turn_window(struct pf_loop *l, struct pf_error *err)
{
	int rc = 0;

	if (!l->in_window && !l->past_window && l->now >= l->window) {
		l->in_window = true;
		rc = l->hooks->window_begins(l->hooks->context, err);
		l->window_began = l->now = pf_loop_now();
	} else if (l->in_window && l->now >= l->end) {
		l->in_window = false;
		l->past_window = true;
		rc = l->hooks->window_ends(l->hooks->context, err);
		l->now = pf_loop_now();
		l->result->seconds = (double)(l->now - l->window_began) / 1e9;
	}
	return rc;
}

static void
expire(struct pf_loop *l)
{
	int64_t due = l->now - (int64_t)(l->load->timeout * 1e9);
	struct pf_flight f;

	l->transport->expire(l, due);
	while (l->waiting_count && l->waiting[l->waiting_first].due <= due) {
		pf_loop_take_waiting(l, &f);
		pf_loop_timed_out(l, &f);
	}
	/* A connection that was closed may leave room for those that still wait. */
	while (l->waiting_count && pf_loop_take_waiting(l, &f)) {
		if (l->transport->send(l, &f))
			continue;
		l->waiting_first =
		    (l->waiting_first + l->waiting_capacity - 1) % l->waiting_capacity;
		l->waiting[l->waiting_first] = f;
		l->waiting_count++;
		break;
	}
}

/* Sets the timer to what comes next: a request, the window's edge, or a look at timeouts. */
static void
arm(struct pf_loop *l, int64_t next_tick)
{
	int64_t next = next_tick, due = l->start + l->schedule.due;
	struct itimerspec when = {0};

	if (due < l->end && due < next)
		next = due;
	if (!l->in_window && !l->past_window && l->window < next)
		next = l->window;
	if (!l->past_window && l->end < next)
		next = l->end;
	if (l->transport->wakes && l->transport->wakes(l) < next)
		next = l->transport->wakes(l);
	if (next == l->armed)
		return;
	l->armed = next;
	when.it_value.tv_sec = next / second;
	when.it_value.tv_nsec = next % second;
	timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static int
take_events(struct pf_loop *l, const struct epoll_event *events, int count, struct pf_error *err)
{
	for (int i = 0; i < count; i++) {
		uint64_t mark = events[i].data.u64;

		if (mark == timer_mark)
			continue;
		if (mark == stop_mark)
			return pf_error_set(err, PF_EINCONCLUSIVE, "interrupted");
		if (mark == watch_mark) {
			int rc = l->hooks->watched(l->hooks->context, err);
			if (rc)
				return rc;
			continue;
		}
		l->transport->event(l, mark, events[i].events);
		/* The next answer in this batch has waited for the work on this one. */
		l->now = pf_loop_now();
	}
	return 0;
}

static void
sample(struct pf_loop *l)
{
	if (l->in_window && l->hooks->sampled && l->ticks++ % 2 == 0)
		l->hooks->sampled(l->hooks->context);
}

static int
run(struct pf_loop *l, struct pf_error *err)
{
	struct epoll_event events[EVENTS];
	int64_t next_tick = l->now + tick;
	int rc = 0;

	while (!rc) {
		int count;

		rc = turn_window(l, err);
		if (!rc)
			rc = send_due(l, err);
		if (rc || (l->past_window && !l->in_flight && !l->waiting_count))
			return rc;
		arm(l, next_tick);
		count = epoll_wait(l->epoll, events, EVENTS, -1);
		if (count < 0 && errno != EINTR)
			return pf_error_errno(err, "cannot wait for", "answers");
		l->now = pf_loop_now();
		rc = take_events(l, events, count, err);
		if (l->transport->woken)
			l->transport->woken(l);
		if (l->now >= next_tick) {
			expire(l);
			sample(l);
			next_tick = l->now + tick;
		}
	}
	return rc;
}

static int
watch(struct pf_loop *l, int fd, uint64_t mark, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = mark};

	return fd < 0 ? 0 : epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int
set_up(struct pf_loop *l, uint64_t pair, struct pf_error *err)
{
	int rc = pf_schedule_init(&l->schedule, l->load, pair, err);

	if (rc)
		return rc;
	l->transport = l->load->tls || l->load->http2 ? &pf_transport_curl : &pf_transport_plain;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	/* Edge-triggered: the timer never needs to be read. */
	if (l->epoll < 0 || l->timer < 0 || watch(l, l->timer, timer_mark, EPOLLIN | EPOLLET) ||
	    watch(l, l->hooks->watch_fd, watch_mark, EPOLLIN) ||
	    watch(l, l->hooks->stop_fd, stop_mark, EPOLLIN))
		return pf_error_errno(err, "cannot set up", "the load client's event loop");
	prctl(PR_SET_TIMERSLACK, 1);
	l->now = pf_loop_now();
	l->start = l->now + tick; /* connections are open by then */
	l->window = l->start + (int64_t)(l->load->warmup * 1e9);
	l->end = l->window + (int64_t)(l->load->duration * 1e9);
	return l->transport->open(l, err);
}

int
pf_load_run(const struct pf_load *load, uint64_t pair, const struct pf_load_hooks *hooks,
    struct pf_load_result *result, struct pf_error *err)
{
	struct pf_loop l = {.load = load,
	    .hooks = hooks,
	    .result = result,
	    .epoll = -1,
	    .timer = -1,
	    .idle_first = PF_NONE,
	    .idle_last = PF_NONE};
	int rc = set_up(&l, pair, err);

	if (!rc)
		rc = run(&l, err);
	if (l.transport)
		l.transport->close(&l);
	if (l.timer >= 0)
		close(l.timer);
	if (l.epoll >= 0)
		close(l.epoll);
	pf_schedule_release(&l.schedule);
	free(l.waiting);
	return rc;
}
