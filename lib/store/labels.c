/* labels.c: see labels.h. */
#include "store/labels.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/lines.h"
#include "core/memory.h"
#include "core/quote.h"

void
pf_labels_write(struct pf_buffer *json, const struct pf_store_entry *entry)
{
	pf_buffer_byte(json, '{');
	for (size_t i = 0; i < entry->label_count; i++) {
		const struct pf_store_label *l = &entry->labels[i];
		if (i)
			pf_buffer_byte(json, ',');
		pf_quote_json(json, l->name, strlen(l->name));
		pf_buffer_byte(json, ':');
		pf_quote_json(json, l->value, strlen(l->value));
	}
	pf_buffer_string(json, "}");
	pf_buffer_byte(json, 0);
}

/* The character behind a backslash: those that pf_quote_json() makes. */
static uint8_t
unescape(struct pf_text *t)
{
	char c = t->at == t->end ? '\0' : *t->at++;
	struct pf_text digits = {.at = t->at, .end = t->at + 4};

	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	case '"':
	case '\\':
		return (uint8_t)c;
	case 'u':
		if (pf_text_left(t) < 4)
			break;
		t->at += 4;
		return (uint8_t)pf_text_hex(&digits);
	default:
		break;
	}
	pf_text_fail(t, "an escape sequence");
	return 0;
}

/* The next string, unescaped and with a NUL; there is room for it: it gets shorter. */
static const char *
string(struct pf_labels *labels, struct pf_text *t)
{
	size_t start = labels->text.size;

	if (!pf_text_skip(t, "\""))
		pf_text_fail(t, "a string");
	while (t->at != t->end && *t->at != '"') {
		uint8_t c = (uint8_t)*t->at++;
		pf_buffer_byte(&labels->text, c == '\\' ? unescape(t) : c);
	}
	if (!pf_text_skip(t, "\""))
		pf_text_fail(t, "the end of a string");
	pf_buffer_byte(&labels->text, 0);
	return (const char *)labels->text.bytes + start;
}

int
pf_labels_read(struct pf_labels *labels, const char *json, struct pf_error *err)
{
	struct pf_text t = pf_text_of(json, strlen(json));
	int rc = 0;

	labels->text.maximum = PF_BUFFER_NO_MAXIMUM;
	pf_buffer_clear(&labels->text);
	labels->count = 0;
	if (!pf_buffer_reserve(&labels->text, strlen(json) + 1))
		return pf_error_nomem(err);
	pf_text_expect(&t, "{");
	while (!rc && !t.failure && !pf_text_starts(&t, "}")) {
		struct pf_store_label l;
		if (labels->count)
			pf_text_expect(&t, ",");
		l.name = string(labels, &t);
		pf_text_expect(&t, ":");
		l.value = string(labels, &t);
		rc = PF_GROW(labels->items, labels->capacity, labels->count + 1, err);
		if (!rc)
			labels->items[labels->count++] = l;
	}
	if (!rc && t.failure)
		rc = pf_error_set(
		    err, PF_EINPUT, "the store's catalog has damaged labels: %s", json);
	return rc;
}

void
pf_labels_release(struct pf_labels *labels)
{
	pf_buffer_release(&labels->text);
	free(labels->items);
	*labels = (struct pf_labels){0};
}
