/* json_write.c: values as JSON text, on one line or indented. Depth is that of what json_parse read. */
#include "json.h"

#include <math.h>

static void
put_escape(struct text *out, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	char unicode[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

	switch (c) {
	case '"':
		text_put(out, "\\\"", 2);
		break;
	case '\\':
		text_put(out, "\\\\", 2);
		break;
	case '\n':
		text_put(out, "\\n", 2);
		break;
	case '\r':
		text_put(out, "\\r", 2);
		break;
	case '\t':
		text_put(out, "\\t", 2);
		break;
	default:
		text_put(out, unicode, sizeof unicode);
		break;
	}
}

static void
put_string(struct text *out, const char *bytes, size_t size)
{
	size_t from = 0;

	text_char(out, '"');
	for (size_t i = 0; i < size; i++) {
		uint8_t c = (uint8_t)bytes[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		text_put(out, bytes + from, i - from);
		put_escape(out, c);
		from = i + 1;
	}
	text_put(out, bytes + from, size - from);
	text_char(out, '"');
}

static void
new_line(struct text *out, unsigned indent, unsigned depth)
{
	if (!indent)
		return;
	text_char(out, '\n');
	for (unsigned i = 0; i < indent * depth; i++)
		text_char(out, ' ');
}

static void write_value(struct value v, unsigned indent, unsigned depth, struct text *out);

static void
write_list(const struct list *list, unsigned indent, unsigned depth, struct text *out)
{
	text_char(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			text_char(out, ',');
		new_line(out, indent, depth + 1);
		write_value(list->items[i], indent, depth + 1, out);
	}
	if (list->count)
		new_line(out, indent, depth);
	text_char(out, ']');
}

static void
write_map(const struct map *map, unsigned indent, unsigned depth, struct text *out)
{
	text_char(out, '{');
	for (uint32_t i = 0; i < map->count; i++) {
		const struct entry *entry = &map->entries[i];

		if (i)
			text_char(out, ',');
		new_line(out, indent, depth + 1);
		put_string(out, entry->key.name, entry->key.size);
		text_char(out, ':');
		if (indent)
			text_char(out, ' ');
		write_value(entry->value, indent, depth + 1, out);
	}
	if (map->count)
		new_line(out, indent, depth);
	text_char(out, '}');
}

static void
write_value(struct value v, unsigned indent, unsigned depth, struct text *out)
{
	switch (v.kind) {
	case VALUE_STRING:
	case VALUE_HTML:
		put_string(out, v.string, v.size);
		break;
	case VALUE_REAL:
		if (isfinite(v.real))
			text_real(out, v.real);
		else
			text_string(out, "null");
		break;
	case VALUE_LIST:
		write_list(v.list, indent, depth, out);
		break;
	case VALUE_MAP:
		write_map(v.map, indent, depth, out);
		break;
	case VALUE_NONE:
		text_string(out, "null");
		break;
	default:
		value_print(v, out);
		break;
	}
}

void
json_write(struct value v, unsigned indent, struct text *out)
{
	write_value(v, indent, 0, out);
}
