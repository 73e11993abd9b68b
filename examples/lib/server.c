/* server.c: threads of libmicrohttpd, each of which serves the connections that it was given. */
#include "server.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

enum { MOST_BODY = 1 << 20 };

struct body {
	char *bytes;
	size_t size;
	int refused; /* too large, or no memory */
};

const char *
parameter(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

long
number(const struct request *r, const char *name, long otherwise)
{
	const char *value = parameter(r, name);
	char *end;
	long n;

	if (!value)
		return otherwise;
	n = strtol(value, &end, 10);
	return end == value || *end ? otherwise : n;
}

const char *
setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

char *
text(const char *format, ...)
{
	va_list arguments;
	char *made;

	va_start(arguments, format);
	if (vasprintf(&made, format, arguments) < 0)
		made = NULL;
	va_end(arguments);
	return made;
}

static void
take_body(struct body *b, const char *bytes, size_t size)
{
	char *larger = b->size + size <= MOST_BODY ? realloc(b->bytes, b->size + size + 1) : NULL;

	if (!larger) {
		b->refused = 1;
		return;
	}
	memcpy(larger + b->size, bytes, size);
	b->bytes = larger;
	b->size += size;
	larger[b->size] = '\0';
}

static enum MHD_Result
answer(struct MHD_Connection *connection, unsigned status, char *body)
{
	struct MHD_Response *response =
	    body ? MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE)
		 : MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response) {
		free(body);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", "application/json");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* Called when the head is there, for each part of the body, and at its end. */
static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *path, const char *method,
    const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct request r = {.connection = connection};
	struct body *b = *state;
	char *made;

	(void)method, (void)version;
	if (!b) {
		*state = calloc(1, sizeof *b);
		return *state ? MHD_YES : MHD_NO;
	}
	if (*upload_size) {
		take_body(b, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	if (b->refused)
		return answer(connection, MHD_HTTP_CONTENT_TOO_LARGE, NULL);
	for (const struct route *route = context; route->handle; route++) {
		if (strcmp(route->path, path) != 0)
			continue;
		r.body = b->bytes;
		r.body_size = b->size;
		made = route->handle(&r);
		return answer(
		    connection, made ? MHD_HTTP_OK : MHD_HTTP_INTERNAL_SERVER_ERROR, made);
	}
	return answer(connection, MHD_HTTP_NOT_FOUND, NULL);
}

static void
on_end(void *context, struct MHD_Connection *connection, void **state,
    enum MHD_RequestTerminationCode why)
{
	struct body *b = *state;

	(void)context, (void)connection, (void)why;
	if (b)
		free(b->bytes);
	free(b);
	*state = NULL;
}

int
serve(const struct route *routes, unsigned threads)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)strtoul(setting("HTTP_PORT", "8000"), NULL, 10)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	sigset_t ends;
	int signal_number;

	/* The threads inherit the mask, so that this thread alone is told to end. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	/*
	 * A listening socket each: the kernel spreads the connections. At one socket for all, the thread that
	 * wakes up first takes all that are there, and an idle machine's service has one thread at work.
	 */
	for (unsigned i = 0; i < threads; i++) {
		if (MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request,
			(void *)routes, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
			MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_NOTIFY_COMPLETED, on_end,
			NULL, MHD_OPTION_END))
			continue;
		perror("the port can't be listened on");
		return EXIT_FAILURE;
	}
	sigwait(&ends, &signal_number);
	_exit(EXIT_SUCCESS); /* threads that wait for ever must not keep it */
}
