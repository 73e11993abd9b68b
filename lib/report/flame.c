/*
 * flame.c: a call tree as one HTML page: style, markup, data and program in one
 * file that loads nothing.
 *
 * Names come from profiles, that is from anywhere. They reach the page only as
 * JSON strings in a script element that browsers do not run, with "<" written
 * as an escape, so that no name can end it; the program puts them on the page as
 * text. A content security policy forbids everything else.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "report/call_tree.h"
#include "report/page.h"
#include "report/text.h"
#include "report/units.h"

enum { MOST_BARS = 20000 };

/* Names that the page adds to those of the profile. */
enum { NAME_SMALL, NAME_ALL, FIRST_NAME };

/* One bar of the page: a kept call, or the sum of those below one that were not worth a bar. */
struct bar {
	uint32_t call; /* PF_NONE: what was left out below `parent` */
	uint32_t parent;
	uint32_t depth;
};

struct page {
	const struct pf_view *v;
	struct pf_call_tree tree;
	uint8_t *kept;
	struct bar *bars; /* in preorder */
	size_t bar_count, bar_capacity;
	int64_t *small, *small_before; /* per call and type: what was left out right below */
	uint32_t *name_of;             /* of each name of the view: its number on the page */
	uint32_t *names;               /* of each number from FIRST_NAME: the view's name */
	uint32_t *file_of;             /* of each string of the profile: its number as a file */
	uint32_t *files;
	size_t name_count, file_count;
	struct pf_buffer *out;
};

static void
add_to(int64_t *sums, const int64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (__builtin_add_overflow(sums[i], values[i], &sums[i]))
			sums[i] = INT64_MAX;
	}
}

/* Sums what is not kept into the nearest call above that is. */
static int
sum_small(struct page *page, struct pf_error *err)
{
	const struct pf_call_tree *t = &page->tree;
	size_t n = t->type_count;
	int rc = PF_CALLOC(page->small, t->count * n, err);

	if (!rc && t->before)
		rc = PF_CALLOC(page->small_before, t->count * n, err);
	for (size_t i = t->count; !rc && i-- > 1;) {
		size_t parent = (size_t)t->calls[i].parent * n;

		if (page->kept[i])
			continue;
		add_to(page->small + parent, page->small + i * n, n);
		add_to(page->small + parent, t->self + i * n, n);
		if (t->before) {
			add_to(page->small_before + parent, page->small_before + i * n, n);
			add_to(page->small_before + parent, t->before + i * n, n);
		}
	}
	return rc;
}

static bool
any(const int64_t *values, size_t n)
{
	for (size_t i = 0; values && i < n; i++) {
		if (values[i])
			return true;
	}
	return false;
}

static bool
has_small(const struct page *page, uint32_t call)
{
	size_t n = page->tree.type_count;

	return any(page->small + call * n, n) ||
	       (page->small_before && any(page->small_before + call * n, n));
}

/* Children of each kept call as linked lists: first[call], then next[child]. */
static int
link_children(const struct page *page, uint32_t **first, uint32_t **next, struct pf_error *err)
{
	const struct pf_call_tree *t = &page->tree;
	int rc = PF_CALLOC(*first, t->count, err);

	if (!rc)
		rc = PF_CALLOC(*next, t->count, err);
	if (rc)
		return rc;
	memset(*first, 0xff, t->count * sizeof **first);
	memset(*next, 0xff, t->count * sizeof **next);
	for (size_t i = t->count; i-- > 1;) {
		uint32_t parent = t->calls[i].parent;
		if (!page->kept[i])
			continue;
		(*next)[i] = (*first)[parent];
		(*first)[parent] = (uint32_t)i;
	}
	return 0;
}

static int
add_bar(struct page *page, uint32_t call, uint32_t parent, uint32_t depth, struct pf_error *err)
{
	int rc = PF_GROW(page->bars, page->bar_capacity, page->bar_count + 1, err);

	if (!rc)
		page->bars[page->bar_count++] =
		    (struct bar){.call = call, .parent = parent, .depth = depth};
	return rc;
}

/* Walks the kept calls in preorder, without recursion: stacks may be deep. */
static int
lay_bars(struct page *page, struct pf_error *err)
{
	uint32_t *first = NULL, *next = NULL, depth = 0, call = 0;
	int rc = link_children(page, &first, &next, err);

	while (!rc) {
		rc = add_bar(page, call, PF_NONE, depth, err);
		if (!rc && has_small(page, call))
			rc = add_bar(page, PF_NONE, call, depth + 1, err);
		if (first[call] != PF_NONE) {
			call = first[call];
			depth++;
			continue;
		}
		while (call && next[call] == PF_NONE) {
			call = page->tree.calls[call].parent;
			depth--;
		}
		if (!call)
			break;
		call = next[call];
	}
	free(first);
	free(next);
	return rc;
}

/* Numbers the names and files that bars have, in the order of the bars. */
static int
number_names(struct page *page, struct pf_error *err)
{
	const struct pf_frames *f = &page->v->frames;
	int rc = PF_CALLOC(page->name_of, f->names.count, err);

	if (!rc)
		rc = PF_CALLOC(page->names, f->names.count, err);
	if (!rc)
		rc = PF_CALLOC(page->file_of, f->p->strings.count, err);
	if (!rc)
		rc = PF_CALLOC(page->files, f->p->strings.count, err);
	page->file_count = 1; /* 0: no file */
	for (size_t i = 1; !rc && i < page->bar_count; i++) {
		uint32_t call = page->bars[i].call, name, file;

		if (call == PF_NONE)
			continue;
		name = page->tree.calls[call].name;
		file = f->about[name].file;
		if (!page->name_of[name]) {
			page->names[page->name_count] = name;
			page->name_of[name] = FIRST_NAME + (uint32_t)page->name_count++;
		}
		if (file && !page->file_of[file]) {
			page->files[page->file_count] = file;
			page->file_of[file] = (uint32_t)page->file_count++;
		}
	}
	return rc;
}

static void
comma(const struct page *page, size_t i)
{
	if (i)
		pf_buffer_byte(page->out, ',');
}

static void
write_names(const struct page *page)
{
	const struct pf_frames *f = &page->v->frames;

	pf_buffer_string(page->out, "\"names\":[\"(frames too small to show)\",\"all\"");
	for (size_t i = 0; i < page->name_count; i++) {
		pf_buffer_byte(page->out, ',');
		pf_json_text(page->out, pf_frames_name(f, page->names[i]));
	}
	pf_buffer_string(page->out, "],\n\"file_of\":[0,0");
	for (size_t i = 0; i < page->name_count; i++)
		pf_buffer_printf(
		    page->out, ",%" PRIu32, page->file_of[f->about[page->names[i]].file]);
	pf_buffer_string(page->out, "],\n\"files\":[\"\"");
	for (size_t i = 1; i < page->file_count; i++) {
		pf_buffer_byte(page->out, ',');
		pf_json_text(page->out, pf_profile_string(f->p, page->files[i]));
	}
	pf_buffer_string(page->out, "],\n");
}

static uint32_t
bar_name(const struct page *page, const struct bar *bar)
{
	if (bar->call == PF_NONE)
		return NAME_SMALL;
	return bar->call ? page->name_of[page->tree.calls[bar->call].name] : NAME_ALL;
}

static void
write_bars(const struct page *page)
{
	pf_buffer_string(page->out, "\"depth\":[");
	for (size_t i = 0; i < page->bar_count; i++) {
		comma(page, i);
		pf_buffer_printf(page->out, "%" PRIu32, page->bars[i].depth);
	}
	pf_buffer_string(page->out, "],\n\"name\":[");
	for (size_t i = 0; i < page->bar_count; i++) {
		comma(page, i);
		pf_buffer_printf(page->out, "%" PRIu32, bar_name(page, &page->bars[i]));
	}
	pf_buffer_string(page->out, "],\n\"inlined\":[");
	for (size_t i = 0; i < page->bar_count; i++) {
		uint32_t call = page->bars[i].call;
		comma(page, i);
		pf_buffer_byte(
		    page->out, call != PF_NONE && page->tree.calls[call].inlined ? '1' : '0');
	}
	pf_buffer_string(page->out, "],\n");
}

/* Per type the bars' own values: of the calls, or of what was left out below them. */
static void
write_values(const struct page *page, const char *key, const int64_t *values, const int64_t *small)
{
	size_t n = page->tree.type_count;

	pf_buffer_printf(page->out, "\"%s\":[", key);
	for (size_t type = 0; type < n; type++) {
		pf_buffer_string(page->out, type ? "],\n[" : "[");
		for (size_t i = 0; i < page->bar_count; i++) {
			const struct bar *bar = &page->bars[i];
			comma(page, i);
			pf_buffer_printf(page->out, "%" PRId64,
			    bar->call == PF_NONE ? small[bar->parent * n + type]
						 : values[bar->call * n + type]);
		}
	}
	pf_buffer_string(page->out, n ? "]]" : "]");
}

static void
write_about(const struct page *page)
{
	const struct pf_profile *p = page->v->p;
	const struct pf_view_options *o = &page->v->options;
	char text[PF_VALUE_TEXT];
	bool more = false;

	pf_buffer_string(page->out, "\"about\":[");
	if (p->time_nanos) {
		char when[64];
		pf_utc_text(when, sizeof when, p->time_nanos);
		pf_json_text(page->out, when);
		more = true;
	}
	if (p->duration_nanos) {
		comma(page, more);
		pf_json_text(
		    page->out, pf_value_text(text, p->duration_nanos, "nanoseconds", "auto"));
		more = true;
	}
	if (o->focus) {
		comma(page, more);
		pf_json_prefixed(page->out, "focus ", o->focus);
		more = true;
	}
	if (o->ignore) {
		comma(page, more);
		pf_json_prefixed(page->out, "ignore ", o->ignore);
	}
	pf_buffer_string(page->out, "],\n");
}

static void
write_data(const struct page *page, const char *title)
{
	const struct pf_profile *p = page->v->p;

	pf_buffer_string(page->out, "{\"title\":");
	pf_json_text(page->out, title);
	pf_buffer_string(page->out, ",\n");
	write_about(page);
	pf_buffer_printf(page->out, "\"default_type\":%" PRIu32 ",\n\"types\":[", page->v->type);
	for (size_t i = 0; i < p->type_count; i++) {
		pf_buffer_string(page->out, i ? ",{\"name\":" : "{\"name\":");
		pf_json_text(page->out, pf_profile_type_name(p, i));
		pf_buffer_string(page->out, ",\"unit\":");
		pf_json_text(page->out, pf_profile_type_unit(p, i));
		pf_buffer_byte(page->out, '}');
	}
	pf_buffer_string(page->out, "],\n");
	write_names(page);
	write_bars(page);
	write_values(page, "self", page->tree.self, page->small);
	if (page->tree.before) {
		pf_buffer_string(page->out, ",\n");
		write_values(page, "before", page->tree.before, page->small_before);
	}
	pf_buffer_string(page->out, "}\n");
}

static void
write_page(const struct page *page, const char *title)
{
	static const struct pf_page_parts parts = {.subject = "flame graph",
	    .styles = {"theme.css", "flame.css"},
	    .body = "flame.html",
	    .data_id = "profile",
	    .scripts = {"flame.js"}};

	pf_page_open(page->out, &parts, title);
	write_data(page, title);
	pf_page_close(page->out, &parts);
}

static void
release(struct page *page)
{
	pf_call_tree_release(&page->tree);
	free(page->kept);
	free(page->bars);
	free(page->small);
	free(page->small_before);
	free(page->name_of);
	free(page->names);
	free(page->file_of);
	free(page->files);
}

int
pf_view_flame(
    const struct pf_view *v, const char *title, struct pf_buffer *out, struct pf_error *err)
{
	struct page page = {.v = v, .out = out};
	int rc = pf_call_tree_init(&page.tree, v, err);

	if (!rc)
		rc = pf_call_tree_select(
		    &page.tree, v->options.least_share, MOST_BARS, &page.kept, err);
	if (!rc)
		rc = sum_small(&page, err);
	if (!rc)
		rc = lay_bars(&page, err);
	if (!rc)
		rc = number_names(&page, err);
	if (!rc)
		write_page(&page, title);
	release(&page);
	return rc ? rc : pf_buffer_check(out, err);
}
