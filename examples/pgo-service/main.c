/* main.c: the command line: serve, answer one request, or replay a list of them without sockets. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app.h"
#include "hash.h"
#include "requests.h"
#include "server.h"

static const char usage[] =
    "usage: service --data DIR [--host ADDRESS] [--port N]\n"
    "       service --data DIR --once METHOD PATH [BODY-FILE]\n"
    "       service --data DIR --replay LIST [TIMES]\n"
    "\n"
    "Serves the documents of DIR as pages, on 127.0.0.1:8080 unless told otherwise.\n"
    "--once prints the response to one request. --replay answers the requests of\n"
    "LIST (lines \"METHOD PATH [@BODY-FILE]\") TIMES times in this process and prints\n"
    "how many there were, how many bytes the answers had, and a hash of the last round's.\n";

struct settings {
	const char *data, *host;
	uint16_t port;
	const char *once_method, *once_path, *body_path; /* --once */
	const char *replay;                              /* --replay */
	unsigned long times;
};

struct totals {
	unsigned long long bytes, failed;
	uint64_t hash;
};

static bool
parse_number(const char *text, unsigned long least, unsigned long most, unsigned long *number)
{
	char *end;

	errno = 0;
	*number = strtoul(text, &end, 10);
	return !errno && end != text && !*end && *text != '-' && *number >= least &&
	       *number <= most;
}

static bool
parse_arguments(int argc, char **argv, struct settings *s)
{
	unsigned long number;

	*s = (struct settings){.host = "127.0.0.1", .port = 8080, .times = 1};
	for (int i = 1; i < argc; i++) {
		int left = argc - i - 1;

		if (!strcmp(argv[i], "--data") && left) {
			s->data = argv[++i];
		} else if (!strcmp(argv[i], "--host") && left) {
			s->host = argv[++i];
		} else if (!strcmp(argv[i], "--port") && left &&
			   parse_number(argv[i + 1], 1, 65535, &number)) {
			s->port = (uint16_t)number;
			i++;
		} else if (!strcmp(argv[i], "--once") && left >= 2) {
			s->once_method = argv[++i];
			s->once_path = argv[++i];
			if (i + 1 < argc && strncmp(argv[i + 1], "--", 2))
				s->body_path = argv[++i];
		} else if (!strcmp(argv[i], "--replay") && left) {
			s->replay = argv[++i];
			if (i + 1 < argc && parse_number(argv[i + 1], 1, 100000000, &s->times))
				i++;
		} else {
			return false;
		}
	}
	return s->data != NULL;
}

static int
answer_once(struct app *app, const struct settings *s)
{
	struct arena arena;
	struct text out;
	struct slice request;
	bool close;
	int status = 1;

	arena_init(&arena, (size_t)64 << 20);
	text_init(&out, (size_t)16 << 20);
	request =
	    request_compose(&arena, slice_of(s->once_method), slice_of(s->once_path), s->body_path);
	if (request.at) {
		app_exchange(app, request, &out, &close);
		if (out.size && fwrite(out.bytes, 1, out.size, stdout) == out.size &&
		    !fflush(stdout))
			status = 0;
	}
	text_release(&out);
	arena_release(&arena);
	return status;
}

/* Answers every request once; sums up what came out. */
static void
answer_all(
    struct app *app, const struct request_list *list, struct text *out, struct totals *totals)
{
	totals->hash = 0;
	for (size_t i = 0; i < list->count; i++) {
		bool close;

		text_clear(out);
		app_exchange(app, list->items[i], out, &close);
		totals->bytes += out->size;
		totals->failed += out->size < 12 || out->bytes[9] != '2';
		totals->hash = totals->hash * 31 + hash_bytes(out->bytes, out->size);
	}
}

static int
replay(struct app *app, const struct settings *s)
{
	struct request_list list;
	struct totals totals = {0};
	struct text out;
	int status = 1;

	text_init(&out, (size_t)16 << 20);
	if (request_list_load(&list, s->replay)) {
		for (unsigned long time = 0; time < s->times; time++)
			answer_all(app, &list, &out, &totals);
		printf("%llu requests, %llu not answered with 2xx, %llu bytes, hash %016llx\n",
		    (unsigned long long)list.count * s->times, totals.failed, totals.bytes,
		    (unsigned long long)totals.hash);
		status = totals.failed != 0;
	}
	request_list_release(&list);
	text_release(&out);
	return status;
}

int
main(int argc, char **argv)
{
	struct settings settings;
	struct app *app;
	int status;

	if (!parse_arguments(argc, argv, &settings)) {
		fputs(usage, stderr);
		return 2;
	}
	app = app_new(settings.data);
	if (!app)
		return 1;
	if (settings.once_method)
		status = answer_once(app, &settings);
	else if (settings.replay)
		status = replay(app, &settings);
	else
		status = server_run(app, settings.host, settings.port);
	app_free(app);
	return status;
}
