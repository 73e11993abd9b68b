/*
 * fleet_server.c: thousands of services that serve pprof, in one process: what a
 * collector meets, on loopback addresses.
 *
 *	fleet_server [--port N] [--size BYTES] [--faults SHARE] [--seed N] [--templates N]
 *
 * It listens on every address of the loopback device (127.x.y.z) and prints its
 * port. Each address is an instance. /debug/pprof/profile?seconds=N answers after
 * N seconds, as a real window does, one at a time; /debug/pprof/anything at once.
 * Bodies are valid gzipped profiles of about the size, each distinct: one of some
 * templates, compressed once, and behind it in the same stream this answer's own
 * time, duration and sample. With --faults that share of the instances behaves badly, each in its own way, on
 * most of its answers. /down?share=X: so many instances refuse from now on. /stats says
 * what was asked and whether any rule was broken (two CPU profiles of one
 * instance at once). One thread, epoll.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include "collect/schedule.h"
#include "core/error.h"
#include "core/gzip.h"
#include "core/wire.h"
#include "profile/fields.h"

enum { REQUEST = 4096, HEAD = 512, TAIL = 512, INSTANCES = 1 << 24 };

enum fault {
	NO_FAULT,
	RESET,    /* the connection is reset instead of an answer */
	HANG,     /* half a body, and then nothing */
	LIE,      /* a Content-Length that is too long, then the end */
	HTML,     /* a login page with 200 */
	PROSE,    /* a sentence with 200 */
	BOMB,     /* a body that inflates a thousandfold */
	ERROR500, /* no */
	AWAY,     /* a redirect to another host */
	SILENT,   /* no answer at all */
	BUSY,     /* somebody else profiles */
	FAULTS
};

static const char *const fault_names[FAULTS] = {
    "none", "reset", "hang", "lie", "html", "prose", "bomb", "error500", "away", "silent", "busy"};

struct connection {
	int fd;
	uint32_t instance;
	size_t have;
	char request[REQUEST];
	char head[HEAD + TAIL];
	size_t head_size; /* what is to be sent before the body */
	const uint8_t *body;
	size_t body_size, sent, stop_at; /* stop_at: a fault ends or pauses it there */
	enum fault fault;
	double due; /* when it is answered; heap key */
	size_t place;
	bool profiling, writing;
	char tail[TAIL];
	size_t tail_size;
};

static struct {
	unsigned long port, size, seed, templates;
	double faults, down;
} how = {.size = 100000, .seed = 1, .templates = 32};

static struct {
	uint64_t requests, answered, windows, faulty, broken_rules, credentials_away;
	uint64_t by_fault[FAULTS];
	size_t open, most_open, in_window, most_in_window;
} stats;

/* Of the plain bytes of a template: what the end of a gzip member says. */
struct end {
	uint32_t crc;
	size_t size;
};

static struct pf_buffer *templates;
static struct end *ends;
static struct pf_buffer bomb;
static uint8_t *profiling; /* of each instance: CPU profiles under way */
static struct connection **heap;
static size_t heap_count, heap_capacity;
static int epoll;
static uint64_t answers;

static void
die(const char *what)
{
	fprintf(stderr, "fleet_server: %s: %s\n", what, strerror(errno));
	exit(3);
}

static double
now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* --- bodies --- */

static void
add_string(struct pf_buffer *b, const char *s)
{
	pf_wire_bytes(b, PF_PROFILE_STRING_TABLE, s, strlen(s));
}

static void
add_pair(struct pf_buffer *b, unsigned field, unsigned one, uint64_t x, unsigned two, uint64_t y)
{
	struct pf_buffer m = {.maximum = 1 << 16};

	pf_wire_varint(&m, one, x);
	pf_wire_varint(&m, two, y);
	pf_wire_bytes(b, field, m.bytes, m.size);
	pf_buffer_release(&m);
}

enum { FUNCTIONS = 1200, LOCATIONS = 3000, STRINGS = 6, DEPTH = 24 };

static void
add_tables(struct pf_buffer *b)
{
	static const char *const fixed[STRINGS] = {
	    "", "samples", "count", "cpu", "nanoseconds", "/srv/fleet/service"};
	struct pf_buffer m = {.maximum = 1 << 16}, line = {.maximum = 1 << 10};
	char text[128];

	for (int i = 0; i < STRINGS; i++)
		add_string(b, fixed[i]);
	add_string(b, "0123456789abcdef0123456789abcdef01234567");
	for (int i = 0; i < FUNCTIONS; i++) {
		snprintf(text, sizeof text,
		    "github.com/example/service/internal/part%d.(*Kind%d).Function%d", i % 17,
		    i % 91, i);
		add_string(b, text);
	}
	add_pair(b, PF_PROFILE_SAMPLE_TYPE, PF_VALUE_TYPE_TYPE, 1, PF_VALUE_TYPE_UNIT, 2);
	add_pair(b, PF_PROFILE_SAMPLE_TYPE, PF_VALUE_TYPE_TYPE, 3, PF_VALUE_TYPE_UNIT, 4);
	pf_wire_varint(&m, PF_MAPPING_ID, 1);
	pf_wire_varint(&m, PF_MAPPING_START, 0x400000);
	pf_wire_varint(&m, PF_MAPPING_LIMIT, 0x1400000);
	pf_wire_varint(&m, PF_MAPPING_FILENAME, 5);
	pf_wire_varint(&m, PF_MAPPING_BUILD_ID, 6);
	pf_wire_bytes(b, PF_PROFILE_MAPPING, m.bytes, m.size);
	for (uint64_t i = 1; i <= FUNCTIONS; i++) {
		pf_buffer_clear(&m);
		pf_wire_varint(&m, PF_FUNCTION_ID, i);
		pf_wire_varint(&m, PF_FUNCTION_NAME, STRINGS + i);
		pf_wire_varint(&m, PF_FUNCTION_START_LINE, 10 * i);
		pf_wire_bytes(b, PF_PROFILE_FUNCTION, m.bytes, m.size);
	}
	for (uint64_t i = 1; i <= LOCATIONS; i++) {
		pf_buffer_clear(&m);
		pf_buffer_clear(&line);
		pf_wire_varint(&line, PF_LINE_FUNCTION_ID, 1 + i % FUNCTIONS);
		pf_wire_varint(&line, PF_LINE_LINE, 10 * (1 + i % FUNCTIONS) + i % 7);
		pf_wire_varint(&m, PF_LOCATION_ID, i);
		pf_wire_varint(&m, PF_LOCATION_MAPPING_ID, 1);
		pf_wire_varint(&m, PF_LOCATION_ADDRESS, 0x400000 + 4096 * i);
		pf_wire_bytes(&m, PF_LOCATION_LINE, line.bytes, line.size);
		pf_wire_bytes(b, PF_PROFILE_LOCATION, m.bytes, m.size);
	}
	pf_buffer_release(&m);
	pf_buffer_release(&line);
}

static void
add_sample(struct pf_buffer *b, uint64_t chance)
{
	struct pf_buffer m = {.maximum = 1 << 16}, run = {.maximum = 1 << 16};
	uint64_t depth = 4 + pf_mix(chance, 1) % DEPTH, value = 1 + pf_mix(chance, 2) % 5;

	for (uint64_t i = 0; i < depth; i++)
		pf_buffer_uleb(&run, 1 + pf_mix(chance, 3 + i) % LOCATIONS);
	pf_wire_bytes(&m, PF_SAMPLE_LOCATION_ID, run.bytes, run.size);
	pf_buffer_clear(&run);
	pf_buffer_uleb(&run, value);
	pf_buffer_uleb(&run, 10000000 * value);
	pf_wire_bytes(&m, PF_SAMPLE_VALUE, run.bytes, run.size);
	pf_wire_bytes(b, PF_PROFILE_SAMPLE, m.bytes, m.size);
	pf_buffer_release(&m);
	pf_buffer_release(&run);
}

/* The beginning of a gzip member whose stream is still open; what its end must know of it. */
static void
pack_open(struct pf_buffer *packed, struct pf_buffer *plain, struct end *end)
{
	static const uint8_t head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
	z_stream z = {.next_in = plain->bytes, .avail_in = (uInt)plain->size};
	uint8_t *room;

	pf_buffer_init(packed, 64 << 20);
	pf_buffer_add(packed, head, sizeof head);
	room = pf_buffer_reserve(packed, plain->size + 4096);
	if (!room || deflateInit2(&z, 6, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		die("cannot make bodies");
	z.next_out = room;
	z.avail_out = (uInt)(plain->size + 4096);
	if (deflate(&z, Z_SYNC_FLUSH) != Z_OK || z.avail_in)
		die("cannot make bodies");
	packed->size += z.total_out;
	deflateEnd(&z);
	end->crc = (uint32_t)crc32(0, plain->bytes, (uInt)plain->size);
	end->size = plain->size;
}

/* Stacks of a pool that templates share, so that a merge of all of them stays of one size. */
static void
make_template(uint64_t number, size_t stacks)
{
	struct pf_buffer plain = {.maximum = 64 << 20};

	add_tables(&plain);
	for (size_t i = 0; i < stacks; i++)
		add_sample(&plain, pf_mix(how.seed, pf_mix(number, i) % (8 * stacks)));
	if (plain.failed)
		die("cannot make bodies");
	pack_open(&templates[number], &plain, &ends[number]);
	pf_buffer_release(&plain);
}

static void
make_bodies(void)
{
	size_t stacks = 64;
	struct pf_buffer zeros = {.maximum = 64 << 20};
	struct pf_error err;

	templates = calloc(how.templates, sizeof *templates);
	ends = calloc(how.templates, sizeof *ends);
	for (;; stacks += stacks / 4) {
		make_template(0, stacks);
		if (templates[0].size >= how.size || stacks > 200000)
			break;
		pf_buffer_release(&templates[0]);
	}
	for (size_t i = 1; i < how.templates; i++)
		make_template(i, stacks);
	pf_buffer_init(&bomb, 64 << 20);
	if (!pf_buffer_reserve(&zeros, 48 << 20))
		die("no memory");
	memset(zeros.bytes, 0, 48 << 20);
	if (pf_gzip_deflate(&bomb, zeros.bytes, 48 << 20, 6, &err))
		die("cannot make bodies");
	pf_buffer_release(&zeros);
}

static void
put(struct pf_buffer *b, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		pf_buffer_byte(b, (uint8_t)(value >> 8 * i));
}

/* What is this answer's alone: when, how long, and a sample with its number; and the member's end. */
static void
make_tail(struct connection *c, const struct end *end, double seconds)
{
	struct pf_buffer plain = {.maximum = 4096}, m = {.maximum = 4096}, run = {.maximum = 4096},
			 packed = {.maximum = 4096};
	uint32_t crc;

	pf_wire_varint(
	    &plain, PF_PROFILE_TIME_NANOS, (uint64_t)((now(CLOCK_REALTIME) - seconds) * 1e9));
	pf_wire_varint(&plain, PF_PROFILE_DURATION_NANOS, (uint64_t)(seconds * 1e9));
	pf_wire_varint(&plain, PF_PROFILE_PERIOD, 10000000);
	pf_buffer_uleb(&run, 1 + c->instance % LOCATIONS);
	pf_wire_bytes(&m, PF_SAMPLE_LOCATION_ID, run.bytes, run.size);
	pf_buffer_clear(&run);
	pf_buffer_uleb(&run, 1);
	pf_buffer_uleb(&run, 10000000 + answers++);
	pf_wire_bytes(&m, PF_SAMPLE_VALUE, run.bytes, run.size);
	pf_wire_bytes(&plain, PF_PROFILE_SAMPLE, m.bytes, m.size);
	pf_buffer_byte(&packed, 1); /* the last block, stored */
	put(&packed, (uint32_t)plain.size, 2);
	put(&packed, ~(uint32_t)plain.size, 2);
	pf_buffer_add(&packed, plain.bytes, plain.size);
	crc = (uint32_t)crc32(0, plain.bytes, (uInt)plain.size);
	put(&packed, (uint32_t)crc32_combine(end->crc, crc, (z_off_t)plain.size), 4);
	put(&packed, (uint32_t)(end->size + plain.size), 4);
	if (plain.failed || packed.failed || packed.size > TAIL)
		die("cannot make a body");
	memcpy(c->tail, packed.bytes, packed.size);
	c->tail_size = packed.size;
	pf_buffer_release(&plain);
	pf_buffer_release(&m);
	pf_buffer_release(&run);
	pf_buffer_release(&packed);
}

/* --- when --- */

static void
place(size_t at, struct connection *c)
{
	heap[at - 1] = c;
	c->place = at;
}

static void
heap_add(struct connection *c)
{
	size_t at;

	if (heap_count == heap_capacity) {
		heap_capacity = heap_capacity ? 2 * heap_capacity : 1024;
		heap = realloc(heap, heap_capacity * sizeof *heap);
		if (!heap)
			die("no memory");
	}
	for (at = ++heap_count; at > 1 && heap[at / 2 - 1]->due > c->due; at /= 2)
		place(at, heap[at / 2 - 1]);
	place(at, c);
}

static void
heap_remove(struct connection *c)
{
	size_t at = c->place;
	struct connection *last;

	if (!at)
		return;
	c->place = 0;
	last = heap[--heap_count];
	if (last == c)
		return;
	for (; at > 1 && heap[at / 2 - 1]->due > last->due; at /= 2)
		place(at, heap[at / 2 - 1]);
	for (;;) {
		size_t child = 2 * at;
		if (child > heap_count)
			break;
		if (child < heap_count && heap[child]->due < heap[child - 1]->due)
			child++;
		if (heap[child - 1]->due >= last->due)
			break;
		place(at, heap[child - 1]);
		at = child;
	}
	place(at, last);
}

/* --- connections --- */

static void
end_window(struct connection *c)
{
	if (c->profiling) {
		profiling[c->instance]--;
		stats.in_window--;
	}
	c->profiling = false;
}

static void
close_connection(struct connection *c, bool reset)
{
	struct linger linger = {.l_onoff = 1};

	if (reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	end_window(c);
	heap_remove(c);
	close(c->fd);
	stats.open--;
	free(c);
}

static void
want(struct connection *c, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = c};

	epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

/* Sends what it can; closes when all is out. */
static void
send_more(struct connection *c)
{
	size_t total = c->head_size + c->body_size + c->tail_size;

	while (c->sent < total && c->sent < c->stop_at) {
		const void *from;
		size_t left;
		ssize_t n;
		if (c->sent < c->head_size) {
			from = c->head + c->sent;
			left = c->head_size - c->sent;
		} else if (c->sent < c->head_size + c->body_size) {
			from = c->body + (c->sent - c->head_size);
			left = c->head_size + c->body_size - c->sent;
		} else {
			from = c->tail + (c->sent - c->head_size - c->body_size);
			left = total - c->sent;
		}
		if (left > c->stop_at - c->sent)
			left = c->stop_at - c->sent;
		n = send(c->fd, from, left, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			want(c, EPOLLIN | EPOLLOUT);
			return;
		}
		if (n < 0) {
			close_connection(c, false);
			return;
		}
		c->sent += (size_t)n;
	}
	if (c->fault == HANG && c->sent >= c->stop_at) {
		want(c, EPOLLIN); /* until the other side has had enough */
		return;
	}
	stats.answered++;
	close_connection(c, false);
}

static void
text_answer(struct connection *c, int status, const char *more, const char *text)
{
	c->head_size = (size_t)snprintf(c->head, sizeof c->head,
	    "HTTP/1.1 %d X\r\nContent-Type: text/plain\r\n%sContent-Length: %zu\r\nConnection: "
	    "close\r\n\r\n%s",
	    status, more, strlen(text), text);
	c->body_size = c->tail_size = 0;
}

static void
binary_answer(struct connection *c, const struct pf_buffer *body, size_t promised)
{
	c->body = body->bytes;
	c->body_size = body->size;
	c->head_size = (size_t)snprintf(c->head, sizeof c->head,
	    "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n\r\n",
	    promised);
}

static double
seconds_of(const char *request)
{
	const char *at = strstr(request, "seconds=");

	return at ? strtod(at + 8, NULL) : 0;
}

static void
misbehave(struct connection *c)
{
	const struct pf_buffer *body = &templates[c->instance % how.templates];

	switch (c->fault) {
	case HANG:
		binary_answer(c, body, body->size);
		c->stop_at = c->head_size + c->body_size / 2;
		break;
	case LIE:
		binary_answer(c, body, body->size + 5000);
		break;
	case HTML:
		text_answer(c, 200, "", "<!DOCTYPE html><html><body>Please sign in</body></html>");
		break;
	case PROSE:
		text_answer(c, 200, "", "The allocator of this program is not supported.");
		break;
	case BOMB:
		binary_answer(c, &bomb, bomb.size);
		break;
	case AWAY:
		text_answer(c, 302, "Location: http://127.255.255.1:9/elsewhere\r\n", "");
		break;
	case BUSY:
		text_answer(
		    c, 500, "", "Could not enable CPU profiling: cpu profiling already in use\n");
		break;
	default:
		text_answer(c, 500, "", "it broke\n");
	}
}

static void
answer(struct connection *c)
{
	bool window = c->profiling;
	size_t which = pf_mix(c->instance, answers) % how.templates;
	const struct pf_buffer *body = &templates[which];

	end_window(c);
	c->stop_at = SIZE_MAX;
	c->tail_size = 0;
	if (c->fault) {
		stats.faulty++;
		stats.by_fault[c->fault]++;
	}
	if (c->fault == RESET) {
		close_connection(c, true);
		return;
	}
	if (c->fault == SILENT)
		return;
	if (c->fault) {
		misbehave(c);
	} else {
		make_tail(c, &ends[which], window ? seconds_of(c->request) : 0);
		binary_answer(c, body, body->size + c->tail_size);
	}
	send_more(c);
}

static enum fault
fault_of(uint32_t instance)
{
	uint64_t chance = pf_mix(how.seed, instance);

	if (how.down > 0 && pf_mix_unit(chance, 'd') < how.down)
		return RESET;
	if (pf_mix_unit(chance, 'f') >= how.faults || answers++ % 4 == 0)
		return NO_FAULT;
	return (enum fault)(1 + pf_mix(chance, 'k') % (FAULTS - 1));
}

static void
begin_window(struct connection *c, double seconds)
{
	if (profiling[c->instance]++)
		stats.broken_rules++;
	c->profiling = true;
	stats.windows++;
	stats.in_window++;
	if (stats.in_window > stats.most_in_window)
		stats.most_in_window = stats.in_window;
	c->due = now(CLOCK_MONOTONIC) + seconds;
	heap_add(c);
}

static void
report(struct connection *c)
{
	char text[900];
	int n = snprintf(text, sizeof text,
	    "{\"requests\": %llu, \"answered\": %llu, \"windows\": %llu, \"faulty\": %llu, "
	    "\"broken_rules\": %llu, \"open\": %zu, \"most_open\": %zu, \"most_in_window\": %zu, "
	    "\"body_bytes\": %zu, \"faults\": {",
	    (unsigned long long)stats.requests, (unsigned long long)stats.answered,
	    (unsigned long long)stats.windows, (unsigned long long)stats.faulty,
	    (unsigned long long)stats.broken_rules, stats.open, stats.most_open,
	    stats.most_in_window, templates[0].size);

	for (int i = 1; i < FAULTS && n < (int)sizeof text - 40; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%s\"%s\": %llu",
		    i > 1 ? ", " : "", fault_names[i], (unsigned long long)stats.by_fault[i]);
	snprintf(text + n, sizeof text - (size_t)n, "}}\n");
	c->stop_at = SIZE_MAX;
	c->fault = NO_FAULT;
	text_answer(c, 200, "", text);
	send_more(c);
}

static void
handle(struct connection *c)
{
	double seconds = seconds_of(c->request);

	if (strncmp(c->request, "GET /stats", 10) == 0) {
		report(c);
		return;
	}
	if (strncmp(c->request, "GET /down?share=", 16) == 0) {
		how.down = strtod(c->request + 16, NULL);
		c->stop_at = SIZE_MAX;
		text_answer(c, 200, "", "so be it\n");
		send_more(c);
		return;
	}
	stats.requests++;
	c->fault = fault_of(c->instance);
	if (strncmp(c->request, "GET /debug/pprof/profile", 24) == 0 && seconds > 0 &&
	    c->fault != BUSY && c->fault != RESET)
		begin_window(c, seconds);
	else
		answer(c);
}

static void
read_request(struct connection *c)
{
	ssize_t n = recv(c->fd, c->request + c->have, sizeof c->request - 1 - c->have, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || c->writing) {
		close_connection(c, false);
		return;
	}
	c->have += (size_t)n;
	c->request[c->have] = '\0';
	if (!strstr(c->request, "\r\n\r\n")) {
		if (c->have + 1 == sizeof c->request)
			close_connection(c, false);
		return;
	}
	c->writing = true;
	handle(c);
}

static void
accept_all(int listener)
{
	for (;;) {
		struct sockaddr_in local;
		socklen_t size = sizeof local;
		struct epoll_event event = {.events = EPOLLIN};
		struct connection *c;
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		c = calloc(1, sizeof *c);
		if (!c || getsockname(fd, (struct sockaddr *)&local, &size))
			die("cannot accept");
		c->fd = fd;
		c->instance = ntohl(local.sin_addr.s_addr) & (INSTANCES - 1);
		event.data.ptr = c;
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
			die("cannot wait");
		stats.open++;
		if (stats.open > stats.most_open)
			stats.most_open = stats.open;
	}
}

/* All of 127.0.0.0/8, and nothing that is not on this machine: bound to its loopback device. */
static int
listen_on_loopback(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)how.port)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 65535) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		die("cannot listen");
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void
serve(int listener)
{
	struct epoll_event events[512], event = {.events = EPOLLIN, .data.ptr = NULL};

	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event))
		die("cannot wait");
	for (;;) {
		double left = heap_count ? heap[0]->due - now(CLOCK_MONOTONIC) : 10;
		int n = epoll_wait(epoll, events, 512,
		    left <= 0  ? 0
		    : left > 1 ? 1000
			       : (int)(left * 1e3) + 1);
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			if (!c)
				accept_all(listener);
			else if (events[i].events & EPOLLOUT)
				send_more(c);
			else
				read_request(c);
		}
		while (heap_count && heap[0]->due <= now(CLOCK_MONOTONIC)) {
			struct connection *c = heap[0];
			heap_remove(c);
			answer(c);
		}
	}
}

int
main(int argc, char **argv)
{
	struct rlimit limit;

	for (int i = 1; i + 1 < argc; i += 2) {
		double value = strtod(argv[i + 1], NULL);
		if (strcmp(argv[i], "--port") == 0)
			how.port = (unsigned long)value;
		else if (strcmp(argv[i], "--size") == 0)
			how.size = (unsigned long)value;
		else if (strcmp(argv[i], "--seed") == 0)
			how.seed = (unsigned long)value;
		else if (strcmp(argv[i], "--templates") == 0)
			how.templates = (unsigned long)value;
		else if (strcmp(argv[i], "--faults") == 0)
			how.faults = value;
		else
			return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	profiling = calloc(INSTANCES, 1);
	if (!profiling)
		die("no memory");
	make_bodies();
	serve(listen_on_loopback());
	return 0;
}
