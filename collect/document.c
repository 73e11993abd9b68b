/* document.c: see document.h. */
#include "document.h"

#include <stdint.h>
#include <string.h>

#include <jansson.h>
#include <yaml.h>

#include "core/error.h"
#include "core/utf8.h"

struct parsing {
	struct pf_pool *pool;
	const char *name;
	yaml_document_t document;
	struct pf_node **done; /* of each node of the document (from 1): its tree, once made */
	bool *open;            /* being made: an alias to it would have no end */
	struct pf_error *err;
};

bool
pf_node_is_null(const struct pf_node *node)
{
	return !node || (node->kind == PF_NODE_TEXT && !node->quoted &&
			    (strcmp(node->text, "") == 0 || strcmp(node->text, "~") == 0 ||
				strcmp(node->text, "null") == 0));
}

struct pf_node *
pf_node_get(const struct pf_node *map, const char *key)
{
	for (size_t i = 0; map && map->kind == PF_NODE_MAP && i < map->count; i++) {
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->items[i];
	}
	return NULL;
}

const char *
pf_node_kind_name(const struct pf_node *node)
{
	switch (node->kind) {
	case PF_NODE_LIST:
		return "a list";
	case PF_NODE_MAP:
		return "a mapping";
	default:
		return pf_node_is_null(node) ? "nothing" : "a value";
	}
}

static struct pf_node *
new_node(
    struct pf_pool *pool, enum pf_node_kind kind, size_t line, size_t count, struct pf_error *err)
{
	struct pf_node *node = pf_pool_get(pool, sizeof *node, err);

	if (!node)
		return NULL;
	*node = (struct pf_node){.kind = kind, .line = line, .text = "", .weight = 1};
	if (count) {
		node->items = pf_pool_get(pool, count * sizeof(struct pf_node *), err);
		if (kind == PF_NODE_MAP)
			node->keys = pf_pool_get(pool, count * sizeof(struct pf_node *), err);
		if (!node->items || (kind == PF_NODE_MAP && !node->keys))
			return NULL;
	}
	return node;
}

static struct pf_node *convert(struct parsing *p, int index, unsigned depth);

static void
refuse(struct parsing *p, size_t line, const char *why)
{
	pf_error_set(p->err, PF_EUSAGE, "%s:%zu: %s", p->name, line, why);
}

static struct pf_node *
convert_text(struct parsing *p, const yaml_node_t *from)
{
	struct pf_node *node =
	    new_node(p->pool, PF_NODE_TEXT, from->start_mark.line + 1, 0, p->err);
	const char *text = (const char *)from->data.scalar.value;
	size_t size = from->data.scalar.length;

	if (!node)
		return NULL;
	if (memchr(text, '\0', size)) {
		refuse(p, node->line, "a NUL character in a value");
		return NULL;
	}
	node->quoted = from->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = pf_pool_copy(p->pool, text, size, p->err);
	return node->text ? node : NULL;
}

static bool
add_weight(struct parsing *p, struct pf_node *node, const struct pf_node *item)
{
	node->weight += item->weight;
	if (node->weight <= PF_DOCUMENT_MAX_WEIGHT)
		return true;
	refuse(p, node->line, "aliases make this too large");
	return false;
}

static struct pf_node *
convert_list(struct parsing *p, const yaml_node_t *from, unsigned depth)
{
	yaml_node_item_t *first = from->data.sequence.items.start;
	size_t count = (size_t)(from->data.sequence.items.top - first);
	struct pf_node *node =
	    new_node(p->pool, PF_NODE_LIST, from->start_mark.line + 1, count, p->err);

	for (size_t i = 0; node && i < count; i++) {
		node->items[i] = convert(p, first[i], depth + 1);
		if (!node->items[i] || !add_weight(p, node, node->items[i]))
			return NULL;
		node->count++;
	}
	return node;
}

static struct pf_node *
convert_map(struct parsing *p, const yaml_node_t *from, unsigned depth)
{
	yaml_node_pair_t *first = from->data.mapping.pairs.start;
	size_t count = (size_t)(from->data.mapping.pairs.top - first);
	struct pf_node *node =
	    new_node(p->pool, PF_NODE_MAP, from->start_mark.line + 1, count, p->err);

	for (size_t i = 0; node && i < count; i++) {
		node->keys[i] = convert(p, first[i].key, depth + 1);
		node->items[i] = node->keys[i] ? convert(p, first[i].value, depth + 1) : NULL;
		if (!node->items[i] || !add_weight(p, node, node->items[i]))
			return NULL;
		if (node->keys[i]->kind != PF_NODE_TEXT) {
			refuse(p, node->keys[i]->line, "a key must be a plain value");
			return NULL;
		}
		node->count++;
	}
	return node;
}

static struct pf_node *
convert(struct parsing *p, int index, unsigned depth)
{
	yaml_node_t *from = yaml_document_get_node(&p->document, index);
	struct pf_node *node = NULL;

	if (p->done[index])
		return p->done[index];
	if (p->open[index] || depth > PF_DOCUMENT_DEPTH) {
		refuse(p, from->start_mark.line + 1,
		    p->open[index] ? "an alias contains itself" : "nested too deeply");
		return NULL;
	}
	p->open[index] = true;
	if (from->type == YAML_SCALAR_NODE)
		node = convert_text(p, from);
	else if (from->type == YAML_SEQUENCE_NODE)
		node = convert_list(p, from, depth);
	else
		node = convert_map(p, from, depth);
	p->open[index] = false;
	p->done[index] = node;
	return node;
}

static int
yaml_failure(const yaml_parser_t *parser, const char *name, struct pf_error *err)
{
	size_t line = parser->problem_mark.line + 1;

	if (parser->error == YAML_MEMORY_ERROR)
		return pf_error_nomem(err);
	if (parser->error == YAML_READER_ERROR)
		return pf_error_set(err, PF_EUSAGE, "%s: not text: %s at byte %zu", name,
		    parser->problem, parser->problem_offset);
	return pf_error_set(err, PF_EUSAGE, "%s:%zu: %s%s%s", name, line,
	    parser->problem ? parser->problem : "no YAML", parser->context ? ", " : "",
	    parser->context ? parser->context : "");
}

static int
convert_document(struct parsing *p, struct pf_node **root)
{
	size_t count = (size_t)(p->document.nodes.top - p->document.nodes.start);

	if (!count)
		return 0;
	p->done = pf_pool_get(p->pool, (count + 1) * sizeof *p->done, p->err);
	p->open = pf_pool_get(p->pool, (count + 1) * sizeof *p->open, p->err);
	if (!p->done || !p->open)
		return PF_ENOMEM;
	*root = convert(p, 1, 0);
	return *root ? 0 : p->err->code;
}

static int
parse_yaml(struct parsing *p, struct pf_node **root, const char *bytes, size_t size)
{
	yaml_parser_t parser;
	yaml_document_t more;
	int rc = 0;

	if (!yaml_parser_initialize(&parser))
		return pf_error_nomem(p->err);
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, size);
	if (!yaml_parser_load(&parser, &p->document)) {
		rc = yaml_failure(&parser, p->name, p->err);
		yaml_parser_delete(&parser);
		return rc;
	}
	rc = convert_document(p, root);
	if (!rc && !yaml_parser_load(&parser, &more))
		rc = yaml_failure(&parser, p->name, p->err);
	else if (!rc) {
		if (yaml_document_get_root_node(&more))
			rc = pf_error_set(p->err, PF_EUSAGE,
			    "%s:%zu: a second document begins here; one is expected", p->name,
			    more.start_mark.line + 1);
		yaml_document_delete(&more);
	}
	yaml_document_delete(&p->document);
	yaml_parser_delete(&parser);
	return rc;
}

static struct pf_node *from_json(struct parsing *p, const json_t *value);

static struct pf_node *
from_json_map(struct parsing *p, const json_t *value)
{
	struct pf_node *node = new_node(p->pool, PF_NODE_MAP, 0, json_object_size(value), p->err);
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		if (!node)
			return NULL;
		node->keys[node->count] = new_node(p->pool, PF_NODE_TEXT, 0, 0, p->err);
		node->items[node->count] = from_json(p, item);
		if (!node->keys[node->count] || !node->items[node->count])
			return NULL;
		node->keys[node->count]->text = pf_pool_copy(p->pool, key, strlen(key), p->err);
		if (!node->keys[node->count]->text)
			return NULL;
		node->count++;
	}
	return node;
}

static struct pf_node *
from_json_text(struct parsing *p, const json_t *value)
{
	struct pf_node *node = new_node(p->pool, PF_NODE_TEXT, 0, 0, p->err);
	char *text;

	if (!node || json_is_null(value))
		return node;
	if (json_is_string(value)) {
		node->quoted = true;
		node->text = pf_pool_copy(
		    p->pool, json_string_value(value), json_string_length(value), p->err);
		return node->text ? node : NULL;
	}
	text = json_dumps(value, JSON_ENCODE_ANY);
	node->text = text ? pf_pool_copy(p->pool, text, strlen(text), p->err) : NULL;
	if (!text)
		pf_error_nomem(p->err);
	free(text);
	return node->text ? node : NULL;
}

/* jansson limits the depth itself. */
static struct pf_node *
from_json(struct parsing *p, const json_t *value)
{
	struct pf_node *node;

	if (json_is_object(value))
		return from_json_map(p, value);
	if (!json_is_array(value))
		return from_json_text(p, value);
	node = new_node(p->pool, PF_NODE_LIST, 0, json_array_size(value), p->err);
	for (size_t i = 0; node && i < json_array_size(value); i++) {
		node->items[i] = from_json(p, json_array_get(value, i));
		if (!node->items[i])
			return NULL;
		node->count++;
	}
	return node;
}

static int
parse_json(struct parsing *p, struct pf_node **root, const char *bytes, size_t size)
{
	json_error_t trouble;
	json_t *value = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &trouble);

	if (!value && json_error_code(&trouble) == json_error_out_of_memory)
		return pf_error_nomem(p->err);
	if (!value)
		return pf_error_set(
		    p->err, PF_EUSAGE, "%s:%d: %s", p->name, trouble.line, trouble.text);
	*root = from_json(p, value);
	json_decref(value);
	return *root ? 0 : p->err->code;
}

int
pf_document_parse(struct pf_node **root, struct pf_pool *pool, const char *name, const char *bytes,
    size_t size, bool json, struct pf_error *err)
{
	struct pf_error local;
	struct parsing p = {.pool = pool, .name = name, .err = err ? err : &local};

	*root = NULL;
	if (size > PF_DOCUMENT_MAX_SIZE)
		return pf_error_set(
		    err, PF_EUSAGE, "%s: over %d bytes", name, PF_DOCUMENT_MAX_SIZE);
	return json ? parse_json(&p, root, bytes, size) : parse_yaml(&p, root, bytes, size);
}
