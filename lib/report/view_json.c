/* view_json.c: views as JSON objects, schema profuse.show.v1: numbers are raw, in the type's own unit. */
#include <jansson.h>
#include <stdlib.h>

#include "core/error.h"
#include "report/graph.h"
#include "report/select.h"

static json_t *
integer(int64_t value)
{
	return json_integer((json_int_t)value);
}

/* Profiles may hold any bytes as names; JSON may not. */
static json_t *
text(const char *bytes)
{
	json_t *string = json_string(bytes);
	struct pf_buffer clean;

	if (string)
		return string;
	pf_buffer_init(&clean, PF_BUFFER_NO_MAXIMUM);
	for (; *bytes; bytes++)
		pf_buffer_byte(&clean, (uint8_t)((*bytes & 0x80) ? '?' : *bytes));
	string = json_stringn(clean.bytes ? (const char *)clean.bytes : "", clean.size);
	pf_buffer_release(&clean);
	return string;
}

static int
dump(json_t *root, struct pf_buffer *out, struct pf_error *err)
{
	char *dumped = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

	json_decref(root);
	if (!dumped)
		return pf_error_nomem(err);
	pf_buffer_string(out, dumped);
	pf_buffer_byte(out, '\n');
	free(dumped);
	return pf_buffer_check(out, err);
}

static json_t *
types_json(const struct pf_profile *p)
{
	json_t *types = json_array();

	for (size_t i = 0; i < p->type_count; i++) {
		json_t *type = json_object();
		json_object_set_new(type, "type", text(pf_profile_type_name(p, i)));
		json_object_set_new(type, "unit", text(pf_profile_type_unit(p, i)));
		json_array_append_new(types, type);
	}
	return types;
}

static json_t *
head(const struct pf_profile *p, const char *verb)
{
	json_t *root = json_object();
	bool has_main = p->mapping_count > 0;

	json_object_set_new(root, "schema", json_string("profuse.show.v1"));
	json_object_set_new(root, "verb", json_string(verb));
	json_object_set_new(
	    root, "file", text(has_main ? pf_profile_string(p, p->mappings[0].filename) : ""));
	json_object_set_new(
	    root, "build_id", text(has_main ? pf_profile_string(p, p->mappings[0].build_id) : ""));
	json_object_set_new(root, "time_nanos", integer(p->time_nanos));
	json_object_set_new(root, "duration_nanos", integer(p->duration_nanos));
	json_object_set_new(root, "samples", integer((int64_t)p->sample_count));
	json_object_set_new(root, "types", types_json(p));
	return root;
}

static json_t *
warnings_json(const struct pf_strings *warnings)
{
	json_t *list = json_array();

	for (uint32_t i = 1; warnings && i < warnings->count; i++)
		json_array_append_new(list, text(pf_strings_get(warnings, i)));
	return list;
}

static json_t *
nodes_json(const struct pf_view *r, const struct pf_graph *g, const regex_t *regex,
    uint8_t *matched, size_t *count)
{
	json_t *nodes = json_array();

	*count = 0;
	for (size_t i = 0; i < g->node_count; i++) {
		const struct pf_graph_node *n = &g->nodes[i];
		const char *name = pf_frames_name(&r->frames, n->name);
		json_t *node;

		if (regex && regexec(regex, name, 0, NULL, 0) != 0)
			continue;
		matched[n->name] = 1;
		++*count;
		node = json_object();
		json_object_set_new(node, "name", text(name));
		json_object_set_new(node, "flat", integer(n->flat));
		json_object_set_new(node, "cum", integer(n->cum));
		if (r->is_base) {
			json_object_set_new(node, "flat_before", integer(-n->base_flat));
			json_object_set_new(node, "cum_before", integer(-n->base_cum));
		}
		json_array_append_new(nodes, node);
	}
	return nodes;
}

static json_t *
edges_json(const struct pf_view *r, const struct pf_graph *g, const uint8_t *matched)
{
	json_t *edges = json_array();

	for (size_t i = 0; i < g->edge_count; i++) {
		const struct pf_graph_edge *e = &g->edges[i];
		json_t *edge;

		if (!matched[e->from] && !matched[e->to])
			continue;
		edge = json_object();
		json_object_set_new(edge, "caller", text(pf_frames_name(&r->frames, e->from)));
		json_object_set_new(edge, "callee", text(pf_frames_name(&r->frames, e->to)));
		json_object_set_new(edge, "weight", integer(e->weight));
		json_object_set_new(edge, "inlined", json_boolean(e->inlined));
		json_array_append_new(edges, edge);
	}
	return edges;
}

static int
graph_json(const struct pf_view *r, const struct pf_graph *g, const char *verb,
    const regex_t *regex, struct pf_buffer *out, struct pf_error *err)
{
	uint8_t *matched = calloc(r->frames.names.count, 1);
	size_t count;
	json_t *root;
	int rc;

	if (!matched)
		return pf_error_nomem(err);
	root = head(r->p, verb);
	json_object_set_new(root, "type", text(pf_profile_type_name(r->p, r->type)));
	json_object_set_new(root, "unit", text(r->unit));
	json_object_set_new(root, "total", integer(r->total));
	json_object_set_new(root, "shown", integer(g->shown));
	json_object_set_new(root, "dropped_nodes",
	    integer((int64_t)(g->least_count + g->all_count - g->node_count)));
	json_object_set_new(root, "warnings", warnings_json(r->options.warnings));
	json_object_set_new(root, "nodes", nodes_json(r, g, regex, matched, &count));
	if (verb[0] == 't' ? verb[1] == 'r' : verb[0] == 'p')
		json_object_set_new(root, "edges", edges_json(r, g, matched));
	free(matched);
	rc = dump(root, out, err);
	if (!rc && regex && !count && r->kept_count)
		rc = pf_error_set(err, PF_EINPUT, "no function of this profile matches");
	return rc;
}

int
pf_view_nodes_json(const struct pf_view *r, const char *verb, const char *expression,
    struct pf_buffer *out, struct pf_error *err)
{
	struct pf_graph g;
	regex_t regex;
	int rc = expression ? pf_view_compile(&regex, expression, verb, err) : 0;

	if (rc)
		return rc;
	rc = pf_graph_init(&g, r, err);
	if (!rc)
		rc = graph_json(r, &g, verb, expression ? &regex : NULL, out, err);
	pf_graph_release(&g);
	if (expression)
		regfree(&regex);
	return rc;
}

static json_t *
label_json(const struct pf_profile *p, const struct pf_label *l)
{
	json_t *label = json_object();

	json_object_set_new(label, "key", text(pf_profile_string(p, l->key)));
	if (l->string) {
		json_object_set_new(label, "value", text(pf_profile_string(p, l->string)));
	} else {
		json_object_set_new(label, "number", integer(l->number));
		json_object_set_new(label, "unit", text(pf_profile_string(p, l->unit)));
	}
	return label;
}

static json_t *
sample_json(const struct pf_profile *p, size_t i)
{
	json_t *sample = json_object(), *values = json_array(), *frames = json_array();
	json_t *labels = json_array();

	for (size_t t = 0; t < p->type_count; t++)
		json_array_append_new(values, integer(p->values[i * p->type_count + t]));
	for (uint64_t j = p->frame_starts[i]; j < p->frame_starts[i + 1]; j++)
		json_array_append_new(frames, integer((int64_t)p->frames[j] + 1));
	for (uint64_t j = p->label_starts[i]; j < p->label_starts[i + 1]; j++)
		json_array_append_new(labels, label_json(p, &p->labels[j]));
	json_object_set_new(sample, "values", values);
	json_object_set_new(sample, "locations", frames);
	json_object_set_new(sample, "labels", labels);
	return sample;
}

static json_t *
location_json(const struct pf_profile *p, size_t i)
{
	const struct pf_location *l = &p->locations[i];
	json_t *location = json_object(), *lines = json_array();
	char address[32];

	snprintf(address, sizeof address, "0x%llx", (unsigned long long)l->address);
	json_object_set_new(location, "id", integer((int64_t)i + 1));
	json_object_set_new(location, "address", json_string(address));
	json_object_set_new(location, "mapping",
	    l->mapping == PF_NONE ? json_null() : integer((int64_t)l->mapping + 1));
	for (uint64_t j = p->line_starts[i]; j < p->line_starts[i + 1]; j++) {
		const struct pf_line *from = &p->lines[j];
		json_t *line = json_object();

		if (from->function != PF_NONE) {
			const struct pf_function *f = &p->functions[from->function];
			json_object_set_new(line, "function", text(pf_profile_string(p, f->name)));
			json_object_set_new(line, "file", text(pf_profile_string(p, f->filename)));
			json_object_set_new(line, "start_line", integer(f->start_line));
		}
		json_object_set_new(line, "line", integer(from->line));
		json_array_append_new(lines, line);
	}
	json_object_set_new(location, "lines", lines);
	return location;
}

static json_t *
mapping_json(const struct pf_profile *p, size_t i)
{
	const struct pf_mapping *m = &p->mappings[i];
	json_t *mapping = json_object();
	char range[80];

	snprintf(range, sizeof range, "0x%llx-0x%llx", (unsigned long long)m->start,
	    (unsigned long long)m->limit);
	json_object_set_new(mapping, "id", integer((int64_t)i + 1));
	json_object_set_new(mapping, "range", json_string(range));
	json_object_set_new(mapping, "offset", integer((int64_t)m->offset));
	json_object_set_new(mapping, "file", text(pf_profile_string(p, m->filename)));
	json_object_set_new(mapping, "build_id", text(pf_profile_string(p, m->build_id)));
	return mapping;
}

int
pf_view_raw_json(
    const struct pf_profile *p, const uint8_t *kept, struct pf_buffer *out, struct pf_error *err)
{
	json_t *root = head(p, "raw"), *samples = json_array(), *locations = json_array();
	json_t *mappings = json_array();

	for (size_t i = 0; i < p->sample_count; i++) {
		if (!kept || kept[i])
			json_array_append_new(samples, sample_json(p, i));
	}
	for (size_t i = 0; i < p->location_count; i++)
		json_array_append_new(locations, location_json(p, i));
	for (size_t i = 0; i < p->mapping_count; i++)
		json_array_append_new(mappings, mapping_json(p, i));
	json_object_set_new(root, "samples", samples);
	json_object_set_new(root, "locations", locations);
	json_object_set_new(root, "mappings", mappings);
	return dump(root, out, err);
}
