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

int
pf_request_check_headers(const struct pf_request_maker *maker, struct pf_error *err)
{
	for (size_t i = 0; i < maker->header_count; i++) {
		const char *h = maker->headers[i], *colon = strchr(h, ':');
		if (!colon || colon == h || strpbrk(h, "\r\n") ||
		    memchr(h, ' ', (size_t)(colon - h)))
			return pf_error_set(
			    err, PF_EUSAGE, "--header \"%.100s\": expected Name: value", h);
		if (strncasecmp(h, "content-length:", 15) == 0 ||
		    strncasecmp(h, "transfer-encoding:", 18) == 0 ||
		    strncasecmp(h, "connection:", 11) == 0)
			return pf_error_set(err, PF_EUSAGE,
			    "--header \"%.100s\": bench sets this header itself", h);
	}
	return 0;
}

static bool
has_host(const struct pf_request_maker *maker)
{
	for (size_t i = 0; i < maker->header_count; i++) {
		if (strncasecmp(maker->headers[i], "host:", 5) == 0)
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

int
pf_request_make(struct pf_load_request *r, const struct pf_request_maker *maker, const char *method,
    const char *path, const void *body, size_t body_size, double weight, struct pf_error *err)
{
	bool six = strchr(maker->host, ':') != NULL;
	struct pf_buffer b;
	int rc;

	*r = (struct pf_load_request){0};
	if (!is_word(method) || !is_word(path) || path[0] != '/')
		return pf_error_set(err, PF_EINPUT,
		    "\"%.60s %.200s\" is no request: expected METHOD /path without blanks", method,
		    path);
	pf_buffer_init(&b, PF_REQUEST_BODY_MAXIMUM + (1 << 20));
	pf_buffer_printf(&b, "%s %.*s HTTP/1.1\r\n", method, (int)strcspn(path, "#"), path);
	if (!has_host(maker))
		pf_buffer_printf(&b, "Host: %s%s%s:%s\r\n", six ? "[" : "", maker->host,
		    six ? "]" : "", maker->port);
	pf_buffer_printf(&b, "User-Agent: profuse-bench/%s\r\nAccept: */*\r\n", pf_version());
	for (size_t i = 0; i < maker->header_count; i++)
		pf_buffer_printf(&b, "%s\r\n", maker->headers[i]);
	if (body)
		pf_buffer_printf(&b, "Content-Length: %zu\r\n", body_size);
	pf_buffer_string(&b, "\r\n");
	if (body)
		pf_buffer_add(&b, body, body_size);
	rc = pf_buffer_check(&b, err);
	if (rc) {
		pf_buffer_release(&b);
		return rc;
	}
	r->bytes = (char *)b.bytes;
	r->size = b.size;
	r->head = strcmp(method, "HEAD") == 0;
	r->repeatable = r->head || strcmp(method, "GET") == 0;
	r->weight = weight;
	return 0;
}

int
pf_request_add(struct pf_load *load, const struct pf_request_maker *maker, const char *method,
    const char *path, const void *body, size_t body_size, double weight, struct pf_error *err)
{
	struct pf_load_request r;
	int rc;

	if (load->count >= PF_REQUESTS_MAXIMUM)
		return pf_error_set(
		    err, PF_EINPUT, "more than %d requests in the list", PF_REQUESTS_MAXIMUM);
	rc = PF_GROW(load->requests, load->capacity, load->count + 1, err);
	if (!rc)
		rc = pf_request_make(&r, maker, method, path, body, body_size, weight, err);
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

static int
add_with_body(struct pf_load *load, const struct pf_request_maker *maker, const char *list,
    const char *method, const char *path, const char *rest, struct pf_error *err)
{
	struct pf_buffer body;
	char file[4096];
	int rc;

	if (rest[0] != '@')
		return pf_request_add(
		    load, maker, method, path, *rest ? rest : NULL, strlen(rest), 1, err);
	beside(list, rest + 1, file);
	pf_buffer_init(&body, PF_REQUEST_BODY_MAXIMUM);
	rc = pf_file_read(file, &body, err);
	if (!rc)
		rc = pf_request_add(load, maker, method, path,
		    body.bytes ? (const char *)body.bytes : "", body.size, 1, err);
	pf_buffer_release(&body);
	return rc;
}

/* Ends the first word with a NUL and returns what follows the blanks after it. */
static char *
cut_word(char *line)
{
	char *end = line + strcspn(line, " \t");

	if (!*end)
		return end;
	*end++ = 0;
	return end + strspn(end, " \t");
}

static int
add_line(struct pf_load *load, const struct pf_request_maker *maker, const char *list, char *line,
    struct pf_error *err)
{
	char *second = cut_word(line), *end;
	double weight = 1;

	if (line[0] != '/')
		return add_with_body(load, maker, list, line, second, cut_word(second), err);
	if (*second) {
		weight = strtod(second, &end);
		if (*end || !(weight > 0 && weight <= 1e9))
			return pf_error_set(err, PF_EINPUT,
			    "\"%.60s\" is no weight; expected a number above 0 after the path",
			    second);
	}
	return pf_request_add(load, maker, "GET", line, NULL, 0, weight, err);
}

int
pf_request_read_file(struct pf_load *load, const struct pf_request_maker *maker, const char *path,
    struct pf_error *err)
{
	struct pf_buffer text;
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
		line += strspn(line, " \t");
		number++;
		if (*line && *line != '#')
			rc = add_line(load, maker, path, line, err);
		if (rc && rc != PF_ENOMEM)
			pf_error_prefix(err, "%s:%zu", path, number);
	}
	pf_buffer_release(&text);
	if (!rc && load->count == 0)
		rc = pf_error_set(err, PF_EINPUT, "%s: the list names no request", path);
	return rc;
}
