/* handlers.c: what each route does; see app.h for the routes, app_private.h for what a handler is. */
#include "app_private.h"

#include <stdio.h>

#include "builtins.h"
#include "json.h"

#define MOST_HITS 50

unsigned
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

unsigned
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

unsigned
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

struct slice
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

unsigned
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

unsigned
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

unsigned
handle_index(struct app *app, const struct request *request, struct slice name)
{
	(void)name;
	return handle_report(app, request, slice_of("index"));
}

unsigned
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

unsigned
handle_health(struct app *app, const struct request *request, struct slice name)
{
	(void)request;
	(void)name;
	app->type = "text/plain";
	text_string(&app->body, "ok\n");
	return 200;
}
