/* load_request.c: see load_request.h. */
#include "bench/load_request.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"

enum { HEADER_FILE_MAXIMUM = 1 << 20, MOST_HEADERS = 64 };

static int
check_header(const char *h, int code, struct pf_error *err)
{
	const char *colon = strchr(h, ':');

	if (!colon || colon == h || strpbrk(h, "\r\n") || memchr(h, ' ', (size_t)(colon - h)))
		return pf_error_set(err, code, "header \"%.100s\": expected Name: value", h);
	if (strncasecmp(h, "content-length:", 15) == 0 ||
	    strncasecmp(h, "transfer-encoding:", 18) == 0 || strncasecmp(h, "connection:", 11) == 0)
		return pf_error_set(
		    err, code, "header \"%.100s\": bench sets this header itself", h);
	return 0;
}

static int
add_header(struct pf_load *load, const char *line, int code, struct pf_error *err)
{
	int rc = check_header(line, code, err);

	if (!rc)
		rc = PF_GROW(load->headers, load->header_capacity, load->header_count + 1, err);
	if (!rc)
		rc = pf_copy_string(&load->headers[load->header_count], line, err);
	load->header_count += !rc;
	return rc;
}

/* Secrets such as an Authorization belong into a file, not into an argument that everybody sees. */
static int
add_header_file(struct pf_load *load, const char *path, struct pf_error *err)
{
	struct pf_buffer text;
	char *rest, *line;
	int rc;

	pf_buffer_init(&text, HEADER_FILE_MAXIMUM);
	rc = pf_file_read(path, &text, err);
	pf_buffer_byte(&text, 0);
	if (!rc)
		rc = pf_buffer_check(&text, err);
	for (line = rc ? NULL : strtok_r((char *)text.bytes, "\r\n", &rest); !rc && line;
	    line = strtok_r(NULL, "\r\n", &rest)) {
		line += strspn(line, " \t");
		if (*line && *line != '#')
			rc = add_header(load, line, PF_EINPUT, err);
		if (rc && rc != PF_ENOMEM)
			pf_error_prefix(err, "%s", path);
	}
	pf_buffer_release(&text);
	return rc;
}

int
pf_request_take_headers(
    struct pf_load *load, const char *const *headers, size_t count, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < count; i++)
		rc = headers[i][0] == '@' ? add_header_file(load, headers[i] + 1, err)
					  : add_header(load, headers[i], PF_EUSAGE, err);
	return rc;
}

static bool
has_host(char *const *headers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strncasecmp(headers[i], "host:", 5) == 0)
			return true;
	}
	return false;
}

/* One word without blanks or control characters. */
static bool
is_word(const char *text)
{
	const char *at = text;

	while ((unsigned char)*at > ' ' && *at != 127)
		at++;
	return at != text && !*at;
}

static void
add_head(struct pf_buffer *b, const struct pf_request_maker *maker, const char *method,
    const char *path, const struct pf_request_text *t)
{
	const struct pf_load *load = maker->load;
	bool six = strchr(maker->host, ':') != NULL;

	pf_buffer_printf(b, "%s %.*s HTTP/1.1\r\n", method, (int)strcspn(path, "#"), path);
	if (!has_host(load->headers, load->header_count) &&
	    !has_host((char *const *)t->headers, t->header_count))
		pf_buffer_printf(b, "Host: %s%s%s:%s\r\n", six ? "[" : "", maker->host,
		    six ? "]" : "", maker->port);
	pf_buffer_printf(b, "User-Agent: profuse-bench/%s\r\nAccept: */*\r\n", pf_version());
	for (size_t i = 0; i < load->header_count; i++)
		pf_buffer_printf(b, "%s\r\n", load->headers[i]);
	for (size_t i = 0; i < t->header_count; i++)
		pf_buffer_printf(b, "%s\r\n", t->headers[i]);
	if (t->body)
		pf_buffer_printf(b, "Content-Length: %zu\r\n", t->body_size);
	pf_buffer_string(b, "\r\n");
}

static int
copy_words(struct pf_load_request *r, const char *method, const struct pf_request_text *t,
    struct pf_error *err)
{
	int rc = pf_copy_string(&r->method, method, err);

	if (!rc)
		rc = pf_copy_string(&r->path, t->path, err);
	if (!rc)
		rc = PF_CALLOC(r->headers, t->header_count + 1, err);
	for (size_t i = 0; !rc && i < t->header_count; i++) {
		rc = check_header(t->headers[i], PF_EINPUT, err);
		if (!rc)
			rc = pf_copy_string(&r->headers[i], t->headers[i], err);
		r->header_count += !rc;
	}
	if (!rc)
		r->path[strcspn(r->path, "#")] = 0;
	return rc;
}

int
pf_request_make(struct pf_load_request *r, const struct pf_request_maker *maker,
    const struct pf_request_text *t, struct pf_error *err)
{
	const char *method = t->method ? t->method : "GET";
	struct pf_buffer b;
	int rc;

	*r = (struct pf_load_request){0};
	if (!is_word(method) || !is_word(t->path) || t->path[0] != '/')
		return pf_error_set(err, PF_EINPUT,
		    "\"%.60s %.200s\" is no request: expected METHOD /path without blanks", method,
		    t->path);
	pf_buffer_init(&b, PF_REQUEST_BODY_MAXIMUM + (1 << 20));
	rc = copy_words(r, method, t, err);
	if (!rc) {
		add_head(&b, maker, method, t->path, t);
		if (t->body)
			pf_buffer_add(&b, t->body, t->body_size);
		rc = pf_buffer_check(&b, err);
	}
	if (rc) {
		pf_buffer_release(&b);
		pf_request_release(r);
		return rc;
	}
	r->bytes = (char *)b.bytes;
	r->size = b.size;
	r->body_size = t->body ? t->body_size : 0;
	r->head = strcmp(method, "HEAD") == 0;
	r->repeatable = r->head || strcmp(method, "GET") == 0;
	r->weight = t->weight > 0 ? t->weight : 1;
	return 0;
}

void
pf_request_release(struct pf_load_request *r)
{
	for (size_t i = 0; i < r->header_count; i++)
		free(r->headers[i]);
	free(r->headers);
	free(r->method);
	free(r->path);
	free(r->bytes);
	*r = (struct pf_load_request){0};
}

int
pf_request_add(struct pf_load *load, const struct pf_request_maker *maker,
    const struct pf_request_text *text, struct pf_error *err)
{
	struct pf_load_request r;
	int rc;

	if (load->count >= PF_REQUESTS_MAXIMUM)
		return pf_error_set(
		    err, PF_EINPUT, "more than %d requests in the list", PF_REQUESTS_MAXIMUM);
	rc = PF_GROW(load->requests, load->capacity, load->count + 1, err);
	if (!rc)
		rc = pf_request_make(&r, maker, text, err);
	if (!rc)
		load->requests[load->count++] = r;
	return rc;
}

/* A body file's path, relative to the request file's folder, into room of 4096. */
static void
beside(const char *list, const char *name, char path[4096])
{
	const char *slash = strrchr(list, '/');

	if (name[0] == '/' || !slash)
		snprintf(path, 4096, "%s", name);
	else
		snprintf(path, 4096, "%.*s/%s", (int)(slash - list), list, name);
}

int
pf_request_add_words(struct pf_load *load, const struct pf_request_maker *maker, const char *list,
    const char *method, const char *path, const char *rest, double weight,
    const char *const *headers, size_t header_count, struct pf_error *err)
{
	struct pf_request_text t = {.method = method,
	    .path = path,
	    .body = *rest ? rest : NULL,
	    .body_size = strlen(rest),
	    .weight = weight,
	    .headers = headers,
	    .header_count = header_count};
	struct pf_buffer body;
	char file[4096];
	int rc;

	if (rest[0] != '@')
		return pf_request_add(load, maker, &t, err);
	beside(list, rest + 1, file);
	pf_buffer_init(&body, PF_REQUEST_BODY_MAXIMUM);
	rc = pf_file_read(file, &body, err);
	t.body = body.bytes ? (const void *)body.bytes : "";
	t.body_size = body.size;
	if (!rc)
		rc = pf_request_add(load, maker, &t, err);
	pf_buffer_release(&body);
	return rc;
}

char *
pf_request_cut_word(char *line)
{
	char *end = line + strcspn(line, " \t");

	if (!*end)
		return end;
	*end++ = 0;
	return end + strspn(end, " \t");
}

static int
parse_weight(const char *text, double *weight, struct pf_error *err)
{
	char *end;

	*weight = strtod(text, &end);
	if (end == text || *end || !(*weight > 0 && *weight <= 1e9))
		return pf_error_set(
		    err, PF_EINPUT, "\"%.60s\" is no weight; expected a number above 0", text);
	return 0;
}

/* A request's line and the headers below it. */
struct entry {
	char *line;
	const char *headers[MOST_HEADERS];
	size_t header_count;
	size_t number;
};

static int
add_entry(struct pf_load *load, const struct pf_request_maker *maker, const char *list,
    struct entry *e, struct pf_error *err)
{
	char *method = e->line, *path, *rest;
	double weight = 1;
	int rc = 0;

	if (method[0] == 'x' && isdigit((unsigned char)method[1])) {
		char *next = pf_request_cut_word(method);
		rc = parse_weight(method + 1, &weight, err);
		method = next;
	}
	path = pf_request_cut_word(method);
	if (!rc && method[0] == '/') {
		if (*path)
			rc = parse_weight(path, &weight, err);
		return rc ? rc
			  : pf_request_add_words(load, maker, list, "GET", method, "", weight,
				e->headers, e->header_count, err);
	}
	rest = pf_request_cut_word(path);
	return rc ? rc
		  : pf_request_add_words(load, maker, list, method, path, rest, weight, e->headers,
			e->header_count, err);
}

static int
flush(struct pf_load *load, const struct pf_request_maker *maker, const char *list, struct entry *e,
    struct pf_error *err)
{
	int rc = e->line ? add_entry(load, maker, list, e, err) : 0;

	if (rc && rc != PF_ENOMEM)
		pf_error_prefix(err, "%s:%zu", list, e->number);
	*e = (struct entry){0};
	return rc;
}

/* "Name: …": the first word ends in a colon, which no method and no path does. */
static bool
begins_header(const char *text)
{
	size_t word = strcspn(text, " \t:");

	return text[0] != '/' && text[word] == ':';
}

static int
take_line(struct pf_load *load, const struct pf_request_maker *maker, const char *list, char *line,
    size_t number, struct entry *e, struct pf_error *err)
{
	char *text = line + strspn(line, " \t");
	int rc = 0;

	if (!*text || *text == '#')
		return 0;
	if (text == line || !e->line || !begins_header(text)) {
		rc = flush(load, maker, list, e, err);
		e->line = text;
		e->number = number;
	} else if (e->header_count < MOST_HEADERS) {
		e->headers[e->header_count++] = text;
	} else {
		rc = pf_error_set(err, PF_EINPUT, "%s:%zu: more than %d headers of one request",
		    list, number, MOST_HEADERS);
	}
	return rc;
}

int
pf_request_read_file(struct pf_load *load, const struct pf_request_maker *maker, const char *path,
    struct pf_error *err)
{
	struct pf_buffer text;
	struct entry entry = {0};
	size_t number = 0;
	char *line, *next;
	int rc;

	pf_buffer_init(&text, PF_REQUEST_FILE_MAXIMUM);
	rc = pf_file_read(path, &text, err);
	pf_buffer_byte(&text, 0);
	if (!rc)
		rc = pf_buffer_check(&text, err);
	if (!rc && strlen((char *)text.bytes) + 1 != text.size)
		rc = pf_error_set(
		    err, PF_EINPUT, "%s holds a NUL byte: is it a list of requests?", path);
	for (line = (char *)text.bytes; !rc && line && *line; line = next) {
		size_t size = strcspn(line, "\n");
		next = line + size + (line[size] == '\n');
		line[size] = 0;
		if (size && line[size - 1] == '\r')
			line[size - 1] = 0;
		rc = take_line(load, maker, path, line, ++number, &entry, err);
	}
	if (!rc)
		rc = flush(load, maker, path, &entry, err);
	pf_buffer_release(&text);
	if (!rc && load->count == 0)
		rc = pf_error_set(err, PF_EINPUT, "%s: the list names no request", path);
	return rc;
}
