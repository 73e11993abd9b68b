/* http.c: see http.h. */
#include "http.h"

static bool
is_token(struct slice s)
{
	static const char marks[] = "!#$%&'*+-.^`|~";

	for (size_t i = 0; i < s.size; i++) {
		uint8_t c = (uint8_t)s.at[i];

		if (c >= 128 || (!is_kind(s.at[i], IS_WORD) && (c == 0 || !strchr(marks, c))))
			return false;
	}
	return s.size != 0;
}

/* The next line without its line end; false when the head has no more. */
static bool
next_line(struct slice *head, struct slice *line)
{
	if (head->size == 0)
		return false;
	*line = slice_cut(*head, '\n', head);
	if (line->size && line->at[line->size - 1] == '\r')
		line->size--;
	return true;
}

static enum http_method
method_of(struct slice name)
{
	switch (name.size) {
	case 3:
		return SLICE_IS(name, "GET") ? HTTP_GET : HTTP_OTHER;
	case 4:
		if (SLICE_IS(name, "HEAD"))
			return HTTP_HEAD;
		return SLICE_IS(name, "POST") ? HTTP_POST : HTTP_OTHER;
	default:
		return HTTP_OTHER;
	}
}

static unsigned
parse_request_line(struct request *request, struct slice line)
{
	struct slice method, target;

	method = slice_cut(line, ' ', &line);
	target = slice_cut(line, ' ', &line);
	if (!is_token(method) || target.size == 0 || target.at[0] != '/')
		return 400;
	for (size_t i = 0; i < target.size; i++) {
		if ((uint8_t)target.at[i] <= 0x20 || target.at[i] == 0x7f)
			return 400;
	}
	if (SLICE_IS(line, "HTTP/1.1"))
		request->keep_alive = true;
	else if (SLICE_IS(line, "HTTP/1.0"))
		request->keep_alive = false;
	else
		return line.size > 5 && !memcmp(line.at, "HTTP/", 5) ? 505 : 400;
	request->method = method_of(method);
	target = slice_cut(target, '#', NULL);
	request->path = slice_cut(target, '?', &request->query);
	return 0;
}

static unsigned
parse_header(struct request *request, struct slice line)
{
	struct slice value, name = slice_cut(line, ':', &value);

	if (name.size == line.size || !is_token(name))
		return 400;
	if (request->header_count == HTTP_MOST_HEADERS)
		return 431;
	value = slice_trim(value);
	for (size_t i = 0; i < value.size; i++) {
		if ((uint8_t)value.at[i] < 0x20 && value.at[i] != '\t')
			return 400;
	}
	request->headers[request->header_count++] = (struct http_header){name, value};
	return 0;
}

struct slice
http_header(const struct request *request, const char *name)
{
	struct slice wanted = slice_of(name);

	for (unsigned i = 0; i < request->header_count; i++) {
		if (slice_equal_caseless(request->headers[i].name, wanted))
			return request->headers[i].value;
	}
	return (struct slice){0};
}

/* What the head says about the connection and the body's length. */
static unsigned
parse_framing(struct request *request, uint64_t *body_size)
{
	struct slice connection = http_header(request, "connection");
	bool has_length = false;

	*body_size = 0;
	if (slice_equal_caseless(connection, slice_of("close")))
		request->keep_alive = false;
	else if (slice_equal_caseless(connection, slice_of("keep-alive")))
		request->keep_alive = true;
	if (http_header(request, "transfer-encoding").at)
		return 501;
	for (unsigned i = 0; i < request->header_count; i++) {
		uint64_t size;

		if (!slice_equal_caseless(request->headers[i].name, slice_of("content-length")))
			continue;
		if (!slice_number(request->headers[i].value, UINT64_MAX, &size) ||
		    (has_length && size != *body_size))
			return 400;
		*body_size = size;
		has_length = true;
	}
	if (request->method == HTTP_POST && !has_length)
		return 411;
	return *body_size > HTTP_MOST_BODY ? 413 : 0;
}

/* The head's length with its empty line, or 0 while there is none. */
static size_t
find_head_end(struct slice bytes)
{
	size_t most = bytes.size < HTTP_MOST_HEAD ? bytes.size : HTTP_MOST_HEAD;

	for (size_t i = 1; i < most; i++) {
		if (bytes.at[i] != '\n')
			continue;
		if (bytes.at[i - 1] == '\n' ||
		    (i > 1 && bytes.at[i - 1] == '\r' && bytes.at[i - 2] == '\n'))
			return i + 1;
	}
	return 0;
}

enum http_parse
http_parse(struct request *request, struct slice bytes, size_t *taken, unsigned *status)
{
	size_t head_size = find_head_end(bytes);
	struct slice head = {bytes.at, head_size}, line = {0};
	uint64_t body_size;

	if (!head_size) {
		*status = 431;
		return bytes.size < HTTP_MOST_HEAD ? HTTP_INCOMPLETE : HTTP_BAD;
	}
	request->header_count = 0;
	next_line(&head, &line);
	*status = parse_request_line(request, line);
	while (!*status && next_line(&head, &line) && line.size)
		*status = parse_header(request, line);
	if (!*status && !http_header(request, "host").at && request->keep_alive)
		*status = 400;
	if (!*status)
		*status = parse_framing(request, &body_size);
	if (*status)
		return HTTP_BAD;
	if (bytes.size - head_size < body_size)
		return HTTP_INCOMPLETE;
	request->body = (struct slice){bytes.at + head_size, (size_t)body_size};
	*taken = head_size + (size_t)body_size;
	return HTTP_COMPLETE;
}

static int
hex_digit(char c)
{
	if (is_kind(c, IS_DIGIT))
		return c - '0';
	c = lower_of(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
http_decode(struct slice encoded, bool form, struct text *out)
{
	for (size_t i = 0; i < encoded.size; i++) {
		char c = encoded.at[i];

		if (c == '%') {
			bool whole = encoded.size - i > 2;
			int high = whole ? hex_digit(encoded.at[i + 1]) : -1;
			int low = whole ? hex_digit(encoded.at[i + 2]) : -1;

			if (high < 0 || low < 0 || high + low == 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (form && c == '+') {
			c = ' ';
		}
		text_char(out, c);
	}
	return true;
}

const char *
http_reason(unsigned status)
{
	switch (status) {
	case 200:
		return "OK";
	case 304:
		return "Not Modified";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 411:
		return "Length Required";
	case 413:
		return "Content Too Large";
	case 422:
		return "Unprocessable Content";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Internal Server Error";
	}
}
