/* load_response.c: see load_response.h. */
#include "bench/load_response.h"

static int
headers_complete(http_parser *parser)
{
	const struct pf_response *r = parser->data;

	return r->head ? 1 : 0; /* 1: no body, whatever the headers say */
}

static int
body(http_parser *parser, const char *at, size_t size)
{
	struct pf_response *r = parser->data;
	(void)at;

	r->body += size;
	return r->body > PF_RESPONSE_MAXIMUM;
}

static int
message_complete(http_parser *parser)
{
	struct pf_response *r = parser->data;

	if (parser->status_code < 200 && parser->status_code != 101)
		return 0; /* "100 Continue": the answer proper follows */
	r->complete = true;
	r->keep_alive = http_should_keep_alive(parser);
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings settings = {
    .on_headers_complete = headers_complete,
    .on_body = body,
    .on_message_complete = message_complete,
};

void
pf_response_begin(struct pf_response *r, bool head)
{
	http_parser_init(&r->parser, HTTP_RESPONSE);
	r->parser.data = r;
	r->head = head;
	r->begun = r->complete = r->keep_alive = false;
	r->body = 0;
}

bool
pf_response_take(struct pf_response *r, const char *bytes, size_t size)
{
	size_t taken;

	if (r->complete)
		return size == 0;
	r->begun = r->begun || size > 0;
	taken = http_parser_execute(&r->parser, &settings, bytes, size);
	if (r->complete) {
		/* Bytes after the answer's end belong to no request of ours: use the connection no more. */
		if (taken < size)
			r->keep_alive = false;
		return true;
	}
	return HTTP_PARSER_ERRNO(&r->parser) == HPE_OK && size > 0;
}
