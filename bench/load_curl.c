/*
 * load_curl.c: requests by libcurl, for TLS and HTTP/2.
 *
 * The schedule, the window and the accounting are the loop's, as for plain
 * connections; libcurl moves the bytes, told by our epoll which sockets are
 * ready. It costs two to three times the CPU time per request of the plain
 * client, and opens its connections when the first requests need them.
 */
#include "bench/load_curl.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "bench/load_loop.h"
#include "core/error.h"
#include "core/index.h"
#include "core/memory.h"
#include "net/transfer.h"

enum { STREAMS = 100, MOST_SLOTS = 2000, URL_EXTRA = 300 };

/* A request on its way, and its handle, which is used again. */
struct slot {
	CURL *easy; /* NULL: not yet needed */
	struct pf_flight flight;
	bool busy;
	uint32_t next_free;
};

struct pf_curl {
	CURLM *multi;
	struct slot *slots;
	size_t slot_count;
	uint32_t first_free;
	int64_t wakes;               /* absolute ns; INT64_MAX: not wanted */
	struct curl_slist **headers; /* of each request of the load, made when first sent */
	char *url;
	size_t url_size;
};

static size_t
discard(char *bytes, size_t size, size_t n, void *context)
{
	(void)bytes;
	(void)context;
	return size * n;
}

/* Appends in place; false, with the list as it was, without memory. */
static bool
append(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	*list = longer ? longer : *list;
	return longer != NULL;
}

static bool
names(const char *line, const char *header)
{
	return strncasecmp(line, header, strlen(header)) == 0;
}

/* The load's headers and the request's own; what libcurl would add by itself is switched off. */
static struct curl_slist *
make_headers(const struct pf_load *load, const struct pf_load_request *r)
{
	struct curl_slist *list = NULL;
	bool has_type = false, good = append(&list, "Expect:");

	for (size_t i = 0; good && i < load->header_count; i++) {
		has_type = has_type || names(load->headers[i], "content-type:");
		good = append(&list, load->headers[i]);
	}
	for (size_t i = 0; good && i < r->header_count; i++) {
		has_type = has_type || names(r->headers[i], "content-type:");
		good = append(&list, r->headers[i]);
	}
	if (good && !has_type)
		good = append(&list, "Content-Type:");
	if (!good) {
		curl_slist_free_all(list);
		list = NULL;
	}
	return list;
}

static size_t
longest_path(const struct pf_load *load)
{
	size_t most = strlen(load->ready.path);

	for (size_t i = 0; i < load->count; i++) {
		size_t size = strlen(load->requests[i].path);
		most = size > most ? size : most;
	}
	return most;
}

static void
write_url(const struct pf_load *load, const struct pf_load_request *r, char *url, size_t size)
{
	bool six = strchr(load->host, ':') != NULL;

	snprintf(url, size, "%s://%s%s%s:%s%s", load->tls ? "https" : "http", six ? "[" : "",
	    load->host, six ? "]" : "", load->port, r->path);
}

/* What all requests of a load have in common. */
static CURL *
new_handle(const struct pf_load *load)
{
	CURL *easy = curl_easy_init();
	char agent[64];

	if (!easy)
		return NULL;
	snprintf(agent, sizeof agent, "profuse-bench/%s", pf_version());
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, agent);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	if (load->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (load->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, load->ca_file);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
	    load->http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	if (load->http2)
		curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	return easy;
}

static void
set_request(
    CURL *easy, const struct pf_load_request *r, const char *url, struct curl_slist *headers)
{
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_NOBODY, r->head ? 1L : 0L);
	if (r->body_size || (strcmp(r->method, "POST") == 0)) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_size);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->bytes + r->size - r->body_size);
	} else if (!r->head) {
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->head ? NULL : r->method);
}

bool
pf_curl_ask(const struct pf_load *load, const struct pf_load_request *request, long patience_ms,
    char *reason, size_t size)
{
	size_t url_size = strlen(request->path) + URL_EXTRA;
	char *url = pf_net_start(NULL) ? NULL : malloc(url_size);
	CURL *easy = url ? new_handle(load) : NULL;
	struct curl_slist *headers = easy ? make_headers(load, request) : NULL;
	CURLcode result = CURLE_OUT_OF_MEMORY;
	long status = 0;

	if (headers) {
		write_url(load, request, url, url_size);
		set_request(easy, request, url, headers);
		curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, patience_ms);
		result = curl_easy_perform(easy);
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	}
	if (result != CURLE_OK)
		snprintf(reason, size, "%s", curl_easy_strerror(result));
	else
		snprintf(reason, size, "status %ld", status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(easy);
	free(url);
	return result == CURLE_OK && status / 100 == 2;
}

/* libcurl wants to know when this socket is ready. */
static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
	struct pf_loop *loop = context;
	struct epoll_event event = {
	    .events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u),
	    .data.u64 = (uint64_t)fd};
	(void)easy;

	if (what == CURL_POLL_REMOVE)
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
	else
		epoll_ctl(loop->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
	curl_multi_assign(loop->curl->multi, fd, what == CURL_POLL_REMOVE ? NULL : loop);
	return 0;
}

static int
set_timer(CURLM *multi, long ms, void *context)
{
	struct pf_loop *loop = context;
	(void)multi;

	loop->curl->wakes = ms < 0 ? INT64_MAX : pf_loop_now() + (int64_t)ms * 1000000;
	return 0;
}

static struct pf_flight
end_flight(struct pf_loop *loop, struct slot *slot)
{
	struct pf_curl *c = loop->curl;

	curl_multi_remove_handle(c->multi, slot->easy);
	slot->busy = false;
	slot->next_free = c->first_free;
	c->first_free = (uint32_t)(slot - c->slots);
	loop->in_flight--;
	return slot->flight;
}

static bool
send_flight(struct pf_loop *loop, const struct pf_flight *flight)
{
	struct pf_curl *c = loop->curl;
	size_t number = (size_t)(flight->request - loop->load->requests);
	struct slot *slot;

	if (c->first_free == PF_NONE)
		return false;
	slot = &c->slots[c->first_free];
	if (!slot->easy)
		slot->easy = new_handle(loop->load);
	if (!c->headers[number])
		c->headers[number] = make_headers(loop->load, flight->request);
	if (!slot->easy || !c->headers[number]) {
		pf_loop_failed(loop, flight);
		return true;
	}
	c->first_free = slot->next_free;
	slot->busy = true;
	slot->flight = *flight;
	slot->flight.sent = loop->now;
	loop->in_flight++;
	write_url(loop->load, flight->request, c->url, c->url_size);
	set_request(slot->easy, flight->request, c->url, c->headers[number]);
	curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot);
	if (curl_multi_add_handle(c->multi, slot->easy) != CURLM_OK) {
		struct pf_flight lost = end_flight(loop, slot);
		pf_loop_failed(loop, &lost);
	}
	return true;
}

/* Accounts for what has ended, and lets what waits take its place. */
static void
drain(struct pf_loop *loop)
{
	struct pf_curl *c = loop->curl;
	struct pf_flight next;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(c->multi, &left))) {
		CURLcode result = message->data.result;
		struct slot *slot;
		struct pf_flight flight;
		long status = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
		curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		flight = end_flight(loop, slot);
		if (result == CURLE_OK)
			pf_loop_answered(loop, &flight, (unsigned)status);
		else
			pf_loop_failed(loop, &flight);
	}
	while (c->first_free != PF_NONE && pf_loop_take_waiting(loop, &next))
		send_flight(loop, &next);
}

static void
take_event(struct pf_loop *loop, uint64_t number, uint32_t events)
{
	int what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
		   (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		   (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
	int running;

	curl_multi_socket_action(loop->curl->multi, (curl_socket_t)number, what, &running);
	drain(loop);
}

static int64_t
wakes(const struct pf_loop *loop)
{
	return loop->curl->wakes;
}

static void
woken(struct pf_loop *loop)
{
	int running;

	if (loop->curl->wakes > loop->now)
		return;
	loop->curl->wakes = INT64_MAX;
	curl_multi_socket_action(loop->curl->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	drain(loop);
}

static void
expire(struct pf_loop *loop, int64_t due)
{
	struct pf_curl *c = loop->curl;

	for (size_t i = 0; i < c->slot_count; i++) {
		struct pf_flight flight;

		if (!c->slots[i].busy || c->slots[i].flight.due > due)
			continue;
		flight = end_flight(loop, &c->slots[i]);
		pf_loop_timed_out(loop, &flight);
	}
}

static int
open_all(struct pf_loop *loop, struct pf_error *err)
{
	const struct pf_load *load = loop->load;
	size_t slots = load->http2 ? load->connections * STREAMS : load->connections;
	struct pf_curl *c;
	int rc = pf_net_start(err);

	if (!rc)
		rc = PF_CALLOC(c, 1, err);
	if (rc)
		return rc;
	loop->curl = c;
	c->wakes = INT64_MAX;
	c->slot_count = load->http2 && slots > MOST_SLOTS ? MOST_SLOTS : slots;
	c->url_size = longest_path(load) + URL_EXTRA;
	c->multi = curl_multi_init();
	rc = PF_CALLOC(c->slots, c->slot_count, err);
	if (!rc)
		rc = PF_CALLOC(c->headers, load->count, err);
	if (!rc)
		rc = PF_CALLOC(c->url, c->url_size, err);
	if (rc || !c->multi)
		return rc ? rc : pf_error_nomem(err);
	for (size_t i = 0; i < c->slot_count; i++)
		c->slots[i].next_free = i + 1 < c->slot_count ? (uint32_t)i + 1 : PF_NONE;
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, loop);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, loop);
	curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)load->connections);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)load->connections);
	curl_multi_setopt(c->multi, CURLMOPT_PIPELINING,
	    load->http2 ? (long)CURLPIPE_MULTIPLEX : (long)CURLPIPE_NOTHING);
	drain(loop); /* at saturation the first requests go out now */
	return 0;
}

static void
close_all(struct pf_loop *loop)
{
	struct pf_curl *c = loop->curl;

	if (!c)
		return;
	for (size_t i = 0; c->slots && i < c->slot_count; i++) {
		if (c->slots[i].busy)
			end_flight(loop, &c->slots[i]);
		curl_easy_cleanup(c->slots[i].easy);
	}
	for (size_t i = 0; c->headers && i < loop->load->count; i++)
		curl_slist_free_all(c->headers[i]);
	curl_multi_cleanup(c->multi);
	free(c->slots);
	free(c->headers);
	free(c->url);
	free(c);
	loop->curl = NULL;
}

const struct pf_transport pf_transport_curl = {
    .open = open_all,
    .send = send_flight,
    .event = take_event,
    .wakes = wakes,
    .woken = woken,
    .expire = expire,
    .close = close_all,
};
