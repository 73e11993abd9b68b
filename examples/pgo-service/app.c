/* app.c: see app.h. A handler fills app->body and app->type, and returns the status. */
#include "app.h"

#include <stdio.h>
#include <stdlib.h>

#include "builtins.h"
#include "cache.h"
#include "hash.h"
#include "json.h"
#include "search.h"
#include "store.h"
#include "vm.h"

#define MOST_REQUEST_MEMORY ((size_t)32 << 20)
#define MOST_PAGE ((size_t)8 << 20)
#define MOST_QUERY ((size_t)64 << 10)
#define MOST_CACHED 64
#define MOST_HITS 50

struct app {
	struct store store;
	struct search *search;
	double *scores;
	struct cache *cache;
	struct arena arena; /* of one request */
	struct text body, decoded;
	const char *type;
	struct map *globals, *query;
	struct value documents;
	struct vm vm;
};

struct route {
	enum http_method method;
	const char *path; /* one that ends in a slash takes a name after it */
	unsigned (*handle)(struct app *app, const struct request *request, struct slice name);
};

static unsigned
refuse(struct app *app, unsigned status, const char *why)
{
	struct value text = value_string(slice_of(why));

	text_clear(&app->body);
	text_string(&app->body, "{\"error\": ");
	json_write(text, 0, &app->body);
	text_string(&app->body, "}\n");
	app->type = "application/json";
	return status;
}

/* The compiled form of a stored template; included templates come from here too. */
static const struct code *
get_template(void *context, struct slice name)
{
	struct app *app = context;
	const struct stored *template = store_template(&app->store, name);
	struct compile_error error;

	return template ? cache_get(app->cache, SOURCE_TEMPLATE, template->source, &error) : NULL;
}

static unsigned
render(struct app *app, const struct code *code, struct value data)
{
	app->type = "text/html; charset=utf-8";
	if (vm_render(&app->vm, code, data))
		return 200;
	return refuse(app, 422, app->vm.error);
}

static unsigned
render_stored(struct app *app, struct slice name, struct value data)
{
	const struct stored *template = store_template(&app->store, name);
	struct compile_error error;
	const struct code *code;
	char why[200];

	if (!template)
		return refuse(app, 404, "there is no such template");
	code = cache_get(app->cache, SOURCE_TEMPLATE, template->source, &error);
	if (code)
		return render(app, code, data);
	snprintf(why, sizeof why, "template %.*s, line %u: %s",
	    (int)(name.size > 40 ? 40 : name.size), name.at, error.line, error.what);
	return refuse(app, 500, why);
}

static struct slice
parameter(const struct app *app, const char *name)
{
	const struct value *value = map_find(app->query, name);

	return value ? value_slice(*value) : (struct slice){"", 0};
}

static bool
has_parameter(const struct app *app, const char *name)
{
	return map_find(app->query, name) != NULL;
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

/* A document as its bytes say; the status, 0 when all is well. */
static unsigned
parse_document(struct app *app, struct slice name, struct value *document)
{
	const struct stored *stored = store_document(&app->store, name);
	struct json_error error;

	if (!stored)
		return refuse(app, 404, "there is no such document");
	if (!json_parse(stored->source, &app->arena, document, &error))
		return refuse(app, 500, "the document takes too much memory");
	return 0;
}

static unsigned
handle_page(struct app *app, const struct request *request, struct slice name)
{
	struct slice template = parameter(app, "template");
	const struct value *own;
	struct value document;
	unsigned status = parse_document(app, name, &document);

	(void)request;
	if (status)
		return status;
	if (template.size == 0) {
		own = map_find(document.map, "template");
		template = own &&value_is_text(*own) ? value_slice(*own) : slice_of("page");
	}
	return render_stored(app, template, document);
}

static unsigned
write_json(struct app *app, struct value v)
{
	bool pretty = has_parameter(app, "pretty");

	app->type = "application/json";
	json_write(v, pretty ? 2 : 0, &app->body);
	text_char(&app->body, '\n');
	return 200;
}

static unsigned
handle_api(struct app *app, const struct request *request, struct slice name)
{
	struct slice fields = parameter(app, "fields");
	struct value document, chosen = {.kind = VALUE_MAP};
	unsigned status = parse_document(app, name, &document);

	(void)request;
	if (status)
		return status;
	if (fields.size == 0)
		return write_json(app, document);
	chosen.map = map_new(&app->arena, 8);
	while (chosen.map && fields.size) {
		struct key key = key_of(slice_trim(slice_cut(fields, ',', &fields)));
		const struct value *found = map_get(document.map, &key);

		if (found && !map_set(chosen.map, &app->arena, key, *found))
			chosen.map = NULL;
	}
	if (!chosen.map)
		return refuse(app, 500, "the document takes too much memory");
	return write_json(app, chosen);
}

/* What snippets are cut from: the body, or whatever text is longest. */
static struct slice
main_text(struct value document)
{
	const struct value *body = map_find(document.map, "body");
	struct slice longest = {"", 0};

	if (body && value_is_text(*body))
		return value_slice(*body);
	for (uint32_t i = 0; i < document.map->count; i++) {
		struct value v = document.map->entries[i].value;

		if (value_is_text(v) && v.size > longest.size)
			longest = value_slice(v);
	}
	return longest;
}

static bool
add_hit(struct app *app, struct list *hits, const struct query *query, size_t i)
{
	const struct stored *document = &app->store.documents[i];
	const struct value *title = map_find(document->parsed.map, "title");
	struct map *hit = map_new(&app->arena, 4);
	struct value snippet = {.kind = VALUE_HTML};

	text_clear(&app->decoded);
	search_snippet(app->search, query, i, main_text(document->parsed), 240, &app->decoded);
	snippet.size = (uint32_t)app->decoded.size;
	snippet.string = arena_copy(&app->arena, app->decoded.bytes, app->decoded.size);
	if (!hit || !snippet.string || app->decoded.failed)
		return false;
	hits->items[hits->count++] = (struct value){.kind = VALUE_MAP, .map = hit};
	return map_set(hit, &app->arena, key_of(slice_of("id")), value_string(document->name)) &&
	       map_set(hit, &app->arena, key_of(slice_of("title")), title ? *title : NO_VALUE) &&
	       map_set(hit, &app->arena, key_of(slice_of("score")), value_real(app->scores[i])) &&
	       map_set(hit, &app->arena, key_of(slice_of("snippet")), snippet);
}

/* The `limit` best documents, best first; NULL without memory. */
static struct list *
find_hits(struct app *app, const struct query *query, size_t limit)
{
	struct list *hits = list_new(&app->arena, limit);

	search_score(app->search, query, app->scores);
	while (hits && hits->count < limit) {
		size_t best = 0;

		for (size_t i = 1; i < app->store.document_count; i++) {
			if (app->scores[i] > app->scores[best])
				best = i;
		}
		if (app->store.document_count == 0 || app->scores[best] <= 0)
			break;
		if (!add_hit(app, hits, query, best))
			return NULL;
		app->scores[best] = 0;
	}
	return hits;
}

static unsigned
handle_search(struct app *app, const struct request *request, struct slice name)
{
	struct slice limit_text = parameter(app, "limit");
	struct value hits = {.kind = VALUE_LIST}, data = {.kind = VALUE_MAP};
	struct query query;
	uint64_t limit = 10;

	(void)request;
	(void)name;
	if (limit_text.size && (!slice_number(limit_text, MOST_HITS, &limit) || limit == 0))
		return refuse(app, 400, "limit is a number from 1 to 50");
	query_parse(&query, parameter(app, "q"));
	if (query.count == 0)
		return refuse(app, 400, "q has no words to search for");
	hits.list = find_hits(app, &query, (size_t)limit);
	data.map = map_new(&app->arena, 2);
	if (!hits.list || !data.map ||
	    !map_set(data.map, &app->arena, key_of(slice_of("hits")), hits))
		return refuse(app, 500, "the answer takes too much memory");
	if (SLICE_IS(parameter(app, "format"), "json"))
		return write_json(app, data);
	return render_stored(app, slice_of("search"), data);
}

/* The documents for which `where` is true; all when it is empty. The status, 0 when all is well. */
static unsigned
choose(struct app *app, struct slice where, struct list *chosen)
{
	const struct code *code = NULL;
	struct compile_error error;
	struct value fits;

	if (where.size) {
		code = cache_get(app->cache, SOURCE_EXPRESSION, where, &error);
		if (!code)
			return refuse(app, 400, error.what);
	}
	for (size_t i = 0; i < app->store.document_count; i++) {
		struct value document = app->store.documents[i].parsed;

		if (code && !vm_evaluate(&app->vm, code, document, &fits))
			return refuse(app, 422, app->vm.error);
		if (!code || value_is_true(fits))
			chosen->items[chosen->count++] = document;
	}
	return 0;
}

static unsigned
handle_report(struct app *app, const struct request *request, struct slice name)
{
	struct value items = {.kind = VALUE_LIST}, data = {.kind = VALUE_MAP};
	struct slice sort = parameter(app, "sort");
	unsigned status;

	(void)request;
	items.list = list_new(&app->arena, app->store.document_count);
	data.map = map_new(&app->arena, 2);
	if (!items.list || !data.map)
		return refuse(app, 500, "the answer takes too much memory");
	status = choose(app, parameter(app, "where"), items.list);
	if (status)
		return status;
	if (sort.size) {
		struct value arguments[] = {
		    items, value_string(sort), value_truth(has_parameter(app, "falling"))};
		struct call call = {.arena = &app->arena,
		    .scratch = &app->vm.scratch,
		    .arguments = arguments,
		    .count = 3};

		items = run_sort(&call);
		if (call.failure)
			return refuse(app, 500, call.failure);
	}
	if (!map_set(data.map, &app->arena, key_of(slice_of("items")), items))
		return refuse(app, 500, "the answer takes too much memory");
	return render_stored(app, name, data);
}

static unsigned
handle_index(struct app *app, const struct request *request, struct slice name)
{
	(void)name;
	return handle_report(app, request, slice_of("index"));
}

static unsigned
handle_render(struct app *app, const struct request *request, struct slice name)
{
	const struct value *source, *data;
	struct compile_error compile_error;
	struct json_error json_error;
	struct code *code;
	unsigned status;
	struct value body;
	char why[200];

	(void)name;
	if (!json_parse(request->body, &app->arena, &body, &json_error)) {
		snprintf(why, sizeof why, "the body is no JSON: %s at byte %zu", json_error.what,
		    json_error.offset);
		return refuse(app, 400, why);
	}
	source = body.kind == VALUE_MAP ? map_find(body.map, "template") : NULL;
	data = body.kind == VALUE_MAP ? map_find(body.map, "data") : NULL;
	if (!source || source->kind != VALUE_STRING || !data || data->kind != VALUE_MAP)
		return refuse(
		    app, 400, "the body needs a template, which is text, and data, an object");
	/* A preview from an editor: another text each time, which would only push others out of the cache. */
	code = compile_template(value_slice(*source), &compile_error);
	if (!code) {
		snprintf(why, sizeof why, "line %u: %s", compile_error.line, compile_error.what);
		return refuse(app, 422, why);
	}
	status = render(app, code, *data);
	code_free(code);
	return status;
}

static unsigned
handle_health(struct app *app, const struct request *request, struct slice name)
{
	(void)request;
	(void)name;
	app->type = "text/plain";
	text_string(&app->body, "ok\n");
	return 200;
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
