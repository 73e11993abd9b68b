/* http.c: see http.h. */
#include "collect/agent/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX in place; false on a broken escape or an encoded NUL. */
static bool
decode(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text != '%') {
			*to++ = *text;
			continue;
		}
		if (hex(text[1]) < 0 || hex(text[2]) < 0)
			return false;
		*to = (char)(hex(text[1]) << 4 | hex(text[2]));
		if (!*to++)
			return false;
		text += 2;
	}
	*to = '\0';
	return true;
}

/* A header line's value if its name is `name`, else NULL. */
static char *
header_value(char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) || line[n] != ':')
		return NULL;
	line += n + 1;
	return line + strspn(line, " \t");
}

static bool
request_line(struct pf_request *r, char *line)
{
	char *target = strchr(line, ' '), *version, *query;

	version = target ? strchr(target + 1, ' ') : NULL;
	if (!version || strncmp(version, " HTTP/1.", 8) || target[1] != '/')
		return false;
	*target++ = '\0';
	*version = '\0';
	r->head = !strcmp(line, "HEAD");
	r->post = !strcmp(line, "POST");
	r->other = !r->head && !r->post && strcmp(line, "GET");
	query = strchr(target, '?');
	if (query)
		*query++ = '\0';
	r->query = query ? query : "";
	r->path = target;
	return decode(target);
}

/* What we need of a header; false: a length that is none. */
static bool
header(struct pf_request *r, char *line, size_t *length)
{
	char *value, *end;

	if ((value = header_value(line, "content-length"))) {
		if (*value < '0' || *value > '9')
			return false;
		*length = strtoul(value, &end, 10);
		return !*end || *end == ' ';
	}
	if (header_value(line, "transfer-encoding"))
		return false; /* nobody needs chunks for a few addresses */
	if ((value = header_value(line, "authorization")) && !strncasecmp(value, "bearer ", 7)) {
		r->token = value + 7 + strspn(value + 7, " ");
	} else if ((value = header_value(line, "host"))) {
		end = *value == '[' ? strchr(value, ']') : NULL;
		end = strchr(end ? end : value, ':');
		if (end)
			*end = '\0';
		r->host = value;
	}
	return true;
}

enum pf_parse
pf_http_parse(struct pf_request *r, char *bytes, size_t size)
{
	size_t length = 0, head_size, copy_size;
	char *end, *line, *next;
	char copy[PF_REQUEST_MAX + 1];

	bytes[size] = '\0';
	end = strstr(bytes, "\r\n\r\n");
	if (!end)
		return strlen(bytes) < size     ? PF_PARSE_BAD
		       : size >= PF_REQUEST_MAX ? PF_PARSE_TOO_LARGE
						: PF_PARSE_MORE;
	head_size = (size_t)(end - bytes) + 4;
	/* A first pass over a copy finds the length, since a body may still be missing. */
	copy_size = head_size - 4;
	memcpy(copy, bytes, copy_size);
	copy[copy_size] = '\0';
	*r = (struct pf_request){.query = "", .token = "", .host = "", .path = ""};
	for (line = copy; line; line = next) {
		next = strstr(line, "\r\n");
		if (next)
			*next = '\0', next += 2;
		if (line != copy && !header(r, line, &length))
			return PF_PARSE_BAD;
	}
	if (length > PF_REQUEST_MAX - head_size)
		return PF_PARSE_TOO_LARGE;
	if (size - head_size < length)
		return PF_PARSE_MORE;
	*r = (struct pf_request){.query = "", .token = "", .host = "", .path = ""};
	*end = '\0';
	for (line = bytes; line; line = next) {
		next = strstr(line, "\r\n");
		if (next)
			*next = '\0', next += 2;
		if (line == bytes ? !request_line(r, line) : !header(r, line, &length))
			return PF_PARSE_BAD;
	}
	r->body = bytes + head_size;
	r->body_size = length;
	bytes[head_size + length] = '\0';
	return PF_PARSE_DONE;
}

bool
pf_http_parameter(const char *query, const char *name, char *to, size_t size)
{
	size_t n = strlen(name);

	while (query && *query) {
		size_t length = strcspn(query, "&");
		if (length > n && !strncmp(query, name, n) && query[n] == '=') {
			length -= n + 1;
			if (length >= size)
				return false;
			memcpy(to, query + n + 1, length);
			to[length] = '\0';
			return decode(to);
		}
		query += length + (query[length] == '&');
	}
	return false;
}

bool
pf_http_same_secret(const char *given, const char *wanted)
{
	size_t n = strlen(given), m = strlen(wanted);
	unsigned char difference = n != m;

	for (size_t i = 0; i < m; i++)
		difference |= (unsigned char)((i < n ? given[i] : 0) ^ wanted[i]);
	return !difference;
}

static const char *
reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 413:
		return "Content Too Large";
	case 501:
		return "Not Implemented";
	default:
		return "Internal Server Error";
	}
}

void
pf_http_answer(struct pf_buffer *out, const struct pf_request *request, int status,
    const char *type, const void *body, size_t size)
{
	pf_buffer_printf(out, "HTTP/1.1 %d %s\r\n", status, reason(status));
	pf_buffer_printf(out, "Content-Type: %s\r\n", type ? type : "text/plain; charset=utf-8");
	pf_buffer_string(out, "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n");
	if (!type)
		pf_buffer_string(out, "X-Go-Pprof: 1\r\n");
	else if (!strcmp(type, "application/octet-stream"))
		pf_buffer_string(out, "Content-Disposition: attachment; filename=\"profile\"\r\n");
	if (status == 401)
		pf_buffer_string(out, "WWW-Authenticate: Bearer\r\n");
	pf_buffer_printf(out, "Content-Length: %zu\r\nConnection: close\r\n\r\n", size);
	if (!request || !request->head)
		pf_buffer_add(out, body, size);
}

void
pf_http_error(
    struct pf_buffer *out, const struct pf_request *request, int status, const char *message)
{
	char line[512];
	size_t n = strlen(message);

	if (n > sizeof line - 2)
		n = sizeof line - 2;
	memcpy(line, message, n);
	line[n] = '\n';
	pf_http_answer(out, request, status, NULL, line, n + 1);
}
