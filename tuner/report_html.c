/*
 * report_html.c: findings as one page that loads nothing (lib/report/page/tune.*).
 *
 * The page gets the JSON report as it is, and beside it what only it draws:
 * call trees of the CPU profile and of memory in use (against the base where
 * there is one), and the growth of the greatest owners of memory.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <profuse/merge.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "report/call_tree.h"
#include "report/page.h"
#include "report/text.h"
#include "tuner/growth.h"
#include "tuner/sites.h"
#include "tuner/tune.h"

enum { MOST_BARS = 3000 };

/* Names of a tree's kept calls, each once, in the order in which they come. */
static int
write_names(const struct pf_call_tree *t, const struct pf_view *v, const uint8_t *kept,
    uint32_t *number_of, struct pf_buffer *out)
{
	uint32_t count = 0;

	pf_buffer_string(out, "\"names\":[");
	for (size_t i = 1; i < t->count; i++) {
		uint32_t name = t->calls[i].name;

		if (!kept[i] || number_of[name])
			continue;
		if (count)
			pf_buffer_byte(out, ',');
		pf_json_text(out, pf_frames_name(&v->frames, name));
		number_of[name] = ++count;
	}
	pf_buffer_string(out, "],");
	return 0;
}

static int64_t
self_of(const int64_t *values, size_t call, size_t types, uint32_t type)
{
	return values ? values[call * types + type] : 0;
}

/*
 * [parent, name, self, self before] of each kept call, parents first; what was
 * left out counts for the nearest call above it that is kept.
 */
static int
write_nodes(const struct pf_call_tree *t, const struct pf_view *v, const uint8_t *kept,
    const uint32_t *number_of, struct pf_buffer *out, struct pf_error *err)
{
	int64_t *self = NULL, *before = NULL;
	uint32_t *position = NULL, count = 0;
	int rc = PF_CALLOC(self, t->count, err);

	if (!rc)
		rc = PF_CALLOC(before, t->count, err);
	if (!rc)
		rc = PF_CALLOC(position, t->count, err);
	for (size_t i = t->count; !rc && i-- > 0;) {
		self[i] += self_of(t->self, i, t->type_count, v->type);
		before[i] += self_of(t->before, i, t->type_count, v->type);
		if (i && !kept[i]) {
			self[t->calls[i].parent] += self[i];
			before[t->calls[i].parent] += before[i];
		}
	}
	pf_buffer_string(out, "\"nodes\":[");
	for (size_t i = 0; !rc && i < t->count; i++) {
		if (i && !kept[i])
			continue;
		position[i] = count++;
		pf_buffer_printf(out, "%s[%" PRIu32 ",%" PRIu32 ",%" PRId64 ",%" PRId64 "]",
		    i ? "," : "", i ? position[t->calls[i].parent] : 0,
		    i ? number_of[t->calls[i].name] - 1 : 0, self[i], before[i]);
	}
	pf_buffer_byte(out, ']');
	free(self);
	free(before);
	free(position);
	return rc;
}

static int
write_tree(const struct pf_view *v, const char *title, struct pf_buffer *out, struct pf_error *err)
{
	struct pf_call_tree t = {0};
	uint32_t *number_of = NULL;
	uint8_t *kept = NULL;
	int rc = pf_call_tree_init(&t, v, err);

	if (!rc)
		rc = pf_call_tree_select(&t, 0.002, MOST_BARS, &kept, err);
	if (!rc)
		rc = PF_CALLOC(number_of, v->frames.names.count, err);
	if (!rc) {
		pf_buffer_string(out, "{\"title\":");
		pf_json_text(out, title);
		pf_buffer_string(out, ",\"unit\":");
		pf_json_text(out, v->unit);
		pf_buffer_printf(out, ",\"diff\":%s,", t.before ? "true" : "false");
		rc = write_names(&t, v, kept, number_of, out);
	}
	if (!rc)
		rc = write_nodes(&t, v, kept, number_of, out, err);
	pf_buffer_byte(out, '}');
	free(number_of);
	free(kept);
	pf_call_tree_release(&t);
	return rc;
}

static int
view_tree(const struct pf_profile *p, const char *type, const char *title, struct pf_buffer *out,
    struct pf_error *err)
{
	struct pf_view_options options = {.sample_type = type};
	struct pf_view v;
	int rc = pf_view_init(&v, p, &options, err);

	if (!rc)
		rc = write_tree(&v, title, out, err);
	pf_view_release(&v);
	return rc;
}

/* In place of a graph of nothing: that there is none. */
static int
leave_graph_out(const char *name, const char *what, bool *any, struct pf_buffer *out)
{
	char sentence[512];

	snprintf(sentence, sizeof sentence, "Nothing of it is in %s.", pf_base_name(name));
	pf_buffer_string(out, *any ? ",\n{\"title\":" : "{\"title\":");
	*any = true;
	pf_json_text(out, what);
	pf_buffer_string(out, ",\"empty\":");
	pf_json_text(out, sentence);
	pf_buffer_byte(out, '}');
	return 0;
}

/* A profile, against its base where there is one. *any says whether a graph stands before this one. */
static int
add_graph(const struct pf_tune *t, enum pf_profile_kind kind, const char *const *types,
    const char *what, bool *any, struct pf_buffer *out, struct pf_error *err)
{
	const struct pf_evidence_profile *ep = pf_evidence_last(&t->evidence, kind);
	const struct pf_evidence_profile *base = pf_evidence_base(&t->evidence, kind);
	struct pf_merge_options options = PF_MERGE_OPTIONS_INIT;
	struct pf_merge *merge = NULL;
	struct pf_profile *both = NULL;
	uint32_t column;
	char title[256];
	int rc = 0;

	if (!ep || !ep->p->sample_count)
		return 0;
	column = pf_evidence_column(ep, types);
	if (column == PF_NONE)
		return 0;
	if (!(pf_column_total(ep, column) > 0) && !(base && pf_column_total(base, column) > 0))
		return leave_graph_out(ep->name, what, any, out);
	snprintf(title, sizeof title, "%s%s", what, base ? ", against the base" : "");
	if (*any)
		pf_buffer_string(out, ",\n");
	*any = true;
	if (!base)
		return view_tree(ep->p, pf_profile_type_name(ep->p, column), title, out, err);
	options.label_base = true;
	options.merge_by_filename = true;
	rc = pf_merge_new(&merge, &options, err);
	if (!rc)
		rc = pf_merge_add(merge, ep->p, ep->name, err);
	if (!rc)
		rc = pf_merge_subtract(merge, base->p, base->name, err);
	if (!rc)
		rc = pf_merge_finish(merge, &both, err);
	if (!rc)
		rc = view_tree(both, pf_profile_type_name(ep->p, column), title, out, err);
	pf_profile_free(both);
	pf_merge_free(merge);
	return rc;
}

static int
write_graphs(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err)
{
	static const char *const cpu[] = {"cpu", "samples", NULL}, *const held[] = {"inuse_space",
								       "space", NULL};
	bool any = false;
	int rc;

	pf_buffer_string(out, ",\n\"graphs\":[");
	rc = add_graph(t, PF_PROFILE_CPU, cpu, "CPU time", &any, out, err);
	if (!rc)
		rc = add_graph(t, PF_PROFILE_HEAP, held, "Memory in use", &any, out, err);
	pf_buffer_byte(out, ']');
	return rc;
}

int
pf_tune_html(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err)
{
	static const struct pf_page_parts parts = {.subject = "tuning report",
	    .styles = {"tune.css"},
	    .body = "tune.html",
	    .data_id = "tune",
	    .scripts = {"tune.js"}};
	struct pf_buffer json;
	int rc;

	pf_buffer_init(&json, PF_BUFFER_NO_MAXIMUM);
	rc = pf_tune_json(t, &json, err);
	if (!rc) {
		pf_page_open(out, &parts, t->evidence.service);
		/* The report's closing brace makes room for what the page draws beside it. */
		while (json.size && json.bytes[json.size - 1] != '}')
			json.size--;
		pf_page_json(out, json.bytes, json.size - 1);
		rc = write_graphs(t, out, err);
	}
	if (!rc)
		rc = pf_growth_json(&t->evidence, out, err);
	if (!rc) {
		pf_buffer_byte(out, '}');
		pf_page_close(out, &parts);
	}
	pf_buffer_release(&json);
	return rc ? rc : pf_buffer_check(out, err);
}
