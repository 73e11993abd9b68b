/*
 * libFuzzer target: any bytes as an HTTP request to the agent, arriving whole and in pieces; both
 * ways must end alike.
 */
#include <stdlib.h>
#include <string.h>

#include "collect/agent/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A copy of exactly the room that the parser is promised, so that a step beyond is seen. */
static enum pf_parse
parse(const uint8_t *bytes, size_t size)
{
	char *copy = malloc(size + 1), value[16];
	struct pf_request request;
	enum pf_parse parsed;

	if (!copy)
		abort();
	memcpy(copy, bytes, size);
	parsed = pf_http_parse(&request, copy, size);
	if (parsed == PF_PARSE_DONE) {
		if (request.path[0] != '/' || request.body < copy ||
		    request.body_size > (size_t)(copy + size - request.body))
			abort();
		(void)pf_http_parameter(request.query, "seconds", value, sizeof value);
		(void)(strlen(request.host) + strlen(request.token));
	}
	free(copy);
	return parsed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	enum pf_parse whole;

	if (size > PF_REQUEST_MAX)
		return 0;
	whole = parse(bytes, size);
	for (size_t part = 1; part < size && part < 300; part++)
		if (parse(bytes, part) == PF_PARSE_DONE && whole == PF_PARSE_MORE)
			abort(); /* more bytes can't make a request less whole */
	return 0;
}
