/*
 * document.h: YAML and JSON as a tree that remembers its lines.
 *
 * libyaml (and jansson for JSON) do the parsing. What an alias stands for is
 * shared, not copied, and how much a document says once aliases are followed is
 * limited. Keys and scalars are text; what they mean is for fields.h.
 */
#ifndef PF_COLLECT_DOCUMENT_H
#define PF_COLLECT_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/pool.h"

enum pf_node_kind { PF_NODE_TEXT, PF_NODE_LIST, PF_NODE_MAP };

struct pf_node {
	enum pf_node_kind kind;
	size_t line;           /* from 1; 0: unknown */
	const char *text;      /* of a scalar; "" of others */
	bool quoted;           /* it was written as a string, whatever it looks like */
	struct pf_node **keys; /* of a map: scalars */
	struct pf_node **items;
	size_t count;
	size_t weight; /* nodes in it, aliases followed */
};

/* Whether it says nothing: an empty or null scalar. */
bool pf_node_is_null(const struct pf_node *node);
/* A map's item of this key, or NULL. */
struct pf_node *pf_node_get(const struct pf_node *map, const char *key);
/* "a list", for messages. */
const char *pf_node_kind_name(const struct pf_node *node);

enum { PF_DOCUMENT_MAX_SIZE = 64 << 20, PF_DOCUMENT_MAX_WEIGHT = 4000000, PF_DOCUMENT_DEPTH = 64 };

/*
 * Parses one YAML document, or JSON where `json` says so; *root belongs to the pool, NULL
 * for an empty document. PF_EUSAGE "NAME:LINE: why"; PF_ENOMEM.
 */
int pf_document_parse(struct pf_node **root, struct pf_pool *pool, const char *name,
    const char *bytes, size_t size, bool json, struct pf_error *err);

#endif
