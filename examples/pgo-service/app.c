/* app.c: see app.h. Finds the route, calls its handler, puts the response together. */
#include "app_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "hash.h"

#define MOST_REQUEST_MEMORY ((size_t)32 << 20)
#define MOST_PAGE ((size_t)8 << 20)
#define MOST_QUERY ((size_t)64 << 10)
#define MOST_CACHED 64

struct route {
	enum http_method method;
	const char *path; /* one that ends in a slash takes a name after it */
	unsigned (*handle)(struct app *app, const struct request *request, struct slice name);
};

/* The compiled form of a stored template; included templates come from here too. */
static const struct code *
get_template(void *context, struct slice name)
{
	struct app *app = context;
	const struct stored *template = store_template(&app->store, name);
	struct compile_error error;

	return template ? cache_get(app->cache, SOURCE_TEMPLATE, template->source, &error) : NULL;
}

/* A decoded copy in the request's arena; a NULL pointer for bad escapes. */
static struct slice
decode(struct app *app, struct slice encoded, bool form)
{
	struct slice copy = {NULL, 0};

	text_clear(&app->decoded);
	if (!http_decode(encoded, form, &app->decoded) || app->decoded.failed)
		return copy;
	copy.size = app->decoded.size;
	copy.at = arena_copy(&app->arena, app->decoded.bytes, copy.size);
	return copy;
}

static bool
parse_query(struct app *app, struct slice query)
{
	app->query = map_new(&app->arena, 8);
	if (!app->query)
		return false;
	while (query.size) {
		struct slice value, name = slice_cut(slice_cut(query, '&', &query), '=', &value);

		if (name.size == 0)
			continue;
		name = decode(app, name, true);
		value = decode(app, value, true);
		if (!name.at || !value.at ||
		    !map_set(app->query, &app->arena, key_of(name), value_string(value)))
			return false;
	}
	return true;
}

static bool
set_globals(struct app *app)
{
	struct value query = {.kind = VALUE_MAP, .map = app->query};

	app->globals = map_new(&app->arena, 2);
	if (!app->globals ||
	    !map_set(app->globals, &app->arena, key_of(slice_of("query")), query) ||
	    !map_set(app->globals, &app->arena, key_of(slice_of("documents")), app->documents))
		return false;
	app->vm.globals = app->globals;
	return true;
}

static bool
route_fits(const struct route *route, struct slice path, struct slice *name)
{
	size_t size = strlen(route->path);

	if (size == 1 || route->path[size - 1] != '/')
		return slice_is(path, route->path, size);
	if (path.size <= size || memcmp(path.at, route->path, size))
		return false;
	*name = (struct slice){path.at + size, path.size - size};
	return true;
}

static unsigned
dispatch(struct app *app, const struct request *request)
{
	static const struct route routes[] = {{HTTP_GET, "/", handle_index},
	    {HTTP_GET, "/page/", handle_page}, {HTTP_GET, "/api/", handle_api},
	    {HTTP_GET, "/search", handle_search}, {HTTP_GET, "/report/", handle_report},
	    {HTTP_POST, "/render", handle_render}, {HTTP_GET, "/healthz", handle_health}};
	enum http_method method = request->method == HTTP_HEAD ? HTTP_GET : request->method;
	struct slice path = decode(app, request->path, false), name = {"", 0};

	if (!path.at || !parse_query(app, request->query) || !set_globals(app))
		return refuse(app, 400, "the address has a bad escape");
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		if (!route_fits(&routes[i], path, &name))
			continue;
		if (routes[i].method != method)
			return refuse(app, 405, "this address takes another method");
		return routes[i].handle(app, request, name);
	}
	return refuse(app, 404, "there is no such address");
}

static void
put_head(struct text *out, unsigned status, const char *type, size_t size, bool keep_alive)
{
	text_string(out, "HTTP/1.1 ");
	text_integer(out, status);
	text_char(out, ' ');
	text_string(out, http_reason(status));
	if (status != 304) {
		text_string(out, "\r\nContent-Type: ");
		text_string(out, type);
		text_string(out, "\r\nContent-Length: ");
		text_integer(out, (int64_t)size);
	}
	if (!keep_alive)
		text_string(out, "\r\nConnection: close");
}

/* Whether the client has this very body already. `tag` comes with its quotes. */
static bool
is_known(const struct request *request, struct slice tag)
{
	struct slice known = http_header(request, "if-none-match");

	while (known.size) {
		struct slice one = slice_trim(slice_cut(known, ',', &known));

		if (slice_equal(one, tag) || SLICE_IS(one, "*"))
			return true;
	}
	return false;
}

void
app_respond(struct app *app, const struct request *request, struct text *out)
{
	unsigned status;
	char tag[20];
	int tag_size;

	arena_reset(&app->arena);
	text_clear(&app->body);
	status = dispatch(app, request);
	if (app->body.failed)
		status = refuse(app, 500, "the page is too large");
	tag_size = snprintf(tag, sizeof tag, "\"%016llx\"",
	    (unsigned long long)hash_bytes(app->body.bytes, app->body.size));
	if (status == 200 && is_known(request, (struct slice){tag, (size_t)tag_size}))
		status = 304;
	put_head(out, status, app->type, app->body.size, request->keep_alive);
	if (status == 200 || status == 304) {
		text_string(out, "\r\nETag: ");
		text_string(out, tag);
	}
	text_string(out, "\r\n\r\n");
	if (status != 304 && request->method != HTTP_HEAD)
		text_put(out, app->body.bytes, app->body.size);
	cache_sweep(app->cache);
}

void
app_refuse(unsigned status, struct text *out)
{
	const char *reason = http_reason(status);

	put_head(out, status, "text/plain", strlen(reason) + 1, false);
	text_string(out, "\r\n\r\n");
	text_string(out, reason);
	text_char(out, '\n');
}

size_t
app_exchange(struct app *app, struct slice bytes, struct text *out, bool *close)
{
	struct request request;
	size_t used = 0, taken;
	unsigned status;

	*close = false;
	while (!*close && used < bytes.size) {
		struct slice left = {bytes.at + used, bytes.size - used};

		switch (http_parse(&request, left, &taken, &status)) {
		case HTTP_INCOMPLETE:
			return used;
		case HTTP_BAD:
			app_refuse(status, out);
			*close = true;
			return bytes.size;
		case HTTP_COMPLETE:
			app_respond(app, &request, out);
			used += taken;
			*close = !request.keep_alive || out->failed;
			break;
		}
	}
	return used;
}

/* The list of all parsed documents, and the search index over them. */
static bool
prepare(struct app *app)
{
	size_t count = app->store.document_count;
	struct list *documents = list_new(&app->store.arena, count);

	app->search = search_new(count);
	app->cache = cache_new(MOST_CACHED);
	app->scores = calloc(count + 1, sizeof *app->scores);
	if (!documents || !app->search || !app->cache || !app->scores)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct value document = app->store.documents[i].parsed;

		documents->items[documents->count++] = document;
		if (!search_add(app->search, i, document, main_text(document)))
			return false;
	}
	app->documents = (struct value){.kind = VALUE_LIST, .list = documents};
	return true;
}

struct app *
app_new(const char *data_folder)
{
	struct app *app = calloc(1, sizeof *app);

	if (!app) {
		fprintf(stderr, "folio: no memory is left\n");
		return NULL;
	}
	arena_init(&app->arena, MOST_REQUEST_MEMORY);
	text_init(&app->body, MOST_PAGE);
	text_init(&app->decoded, MOST_QUERY);
	vm_init(&app->vm, &app->arena, &app->body);
	app->vm.include = get_template;
	app->vm.context = app;
	if (!store_load(&app->store, data_folder)) {
		app_free(app);
		return NULL;
	}
	if (!prepare(app)) {
		fprintf(stderr, "folio: the documents in %s take too much memory\n", data_folder);
		app_free(app);
		return NULL;
	}
	return app;
}

void
app_free(struct app *app)
{
	if (!app)
		return;
	search_free(app->search);
	cache_free(app->cache);
	free(app->scores);
	store_release(&app->store);
	arena_release(&app->arena);
	text_release(&app->body);
	text_release(&app->decoded);
	vm_release(&app->vm);
	free(app);
}
