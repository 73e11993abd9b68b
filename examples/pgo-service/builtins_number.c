/* builtins_number.c: numbers, dates, and what fits nowhere else. */
#include "builtins.h"

#include <math.h>

#include "hash.h"
#include "json.h"
#include "markup.h"

struct value
run_default(struct call *c)
{
	return value_is_true(c->arguments[0]) ? c->arguments[0] : c->arguments[1];
}

struct value
run_abs(struct call *c)
{
	struct value v = c->arguments[0];

	if (v.kind == VALUE_INTEGER && v.integer != INT64_MIN)
		return value_integer(v.integer < 0 ? -v.integer : v.integer);
	if (value_is_number(v))
		return value_real(fabs(value_number(v)));
	return call_fail(c, "a number was expected");
}

/* The least or greatest of several arguments, or of one list; `sign` 1: the greatest. */
static struct value
extreme(struct call *c, int sign)
{
	const struct value *items = c->arguments;
	size_t count = c->count;
	struct value best;

	if (count == 1) {
		const struct list *list = call_list(c, 0);

		if (!list || list->count == 0)
			return NO_VALUE;
		items = list->items;
		count = list->count;
	}
	best = items[0];
	for (size_t i = 1; i < count; i++) {
		if (value_compare(items[i], best) * sign > 0)
			best = items[i];
	}
	return best;
}

struct value
run_max(struct call *c)
{
	return extreme(c, 1);
}

struct value
run_min(struct call *c)
{
	return extreme(c, -1);
}

/* Of a list of numbers, or of a member of a list of maps; what is no number counts as 0. */
struct value
run_sum(struct call *c)
{
	const struct list *list = call_list(c, 0);
	struct key name = c->count > 1 ? key_of(call_text(c, 1)) : (struct key){0};
	double real = 0;
	int64_t whole = 0;
	bool is_whole = true;

	for (size_t i = 0; list && i < list->count; i++) {
		struct value v = list->items[i];
		const struct value *found;

		if (name.size) {
			found = v.kind == VALUE_MAP ? map_get(v.map, &name) : NULL;
			v = found ? *found : NO_VALUE;
		}
		if (v.kind == VALUE_REAL)
			is_whole = false;
		else if (v.kind == VALUE_INTEGER &&
			 __builtin_add_overflow(whole, v.integer, &whole))
			is_whole = false;
		real += value_number(v);
	}
	return is_whole ? value_integer(whole) : value_real(real);
}

struct value
run_round(struct call *c)
{
	static const double scales[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};
	struct value v = c->arguments[0];
	int64_t places = call_integer(c, 1, 0);
	double rounded;

	if (!value_is_number(v) || places < 0 || places > 6)
		return call_fail(c, "a number, and 0 to 6 places, were expected");
	if (v.kind == VALUE_INTEGER)
		return v;
	rounded = round(v.real * scales[places]) / scales[places];
	if (places == 0 && fabs(rounded) < 9e15)
		return value_integer((int64_t)rounded);
	return value_real(rounded);
}

struct value
run_fixed(struct call *c)
{
	int64_t places = call_integer(c, 1, 2);

	if (!value_is_number(c->arguments[0]) || places < 0 || places > 6)
		return call_fail(c, "a number, and 0 to 6 places, were expected");
	text_clear(c->scratch);
	text_fixed(c->scratch, value_number(c->arguments[0]), (unsigned)places);
	return call_scratch(c, VALUE_STRING);
}

struct value
run_hash(struct call *c)
{
	static const char hex[] = "0123456789abcdef";
	struct slice text = call_text(c, 0);
	uint64_t hash = hash_bytes(text.at, text.size);

	text_clear(c->scratch);
	for (int shift = 60; shift >= 0; shift -= 4)
		text_char(c->scratch, hex[hash >> shift & 15]);
	return call_scratch(c, VALUE_STRING);
}

struct value
run_json(struct call *c)
{
	int64_t indent = call_integer(c, 1, 0);

	text_clear(c->scratch);
	json_write(c->arguments[0], indent > 0 && indent < 9 ? (unsigned)indent : 0, c->scratch);
	return call_scratch(c, VALUE_STRING);
}

struct value
run_markup(struct call *c)
{
	struct slice text = call_text(c, 0);

	text_clear(c->scratch);
	markup_to_html(text, c->scratch);
	return call_scratch(c, VALUE_HTML);
}

struct date {
	unsigned year, month, day; /* month and day from 1 */
	unsigned weekday;          /* 0: Sunday */
};

/* YYYY-MM-DD, whatever follows. Days up to 31 in every month are let through. */
static bool
parse_date(struct slice text, struct date *date)
{
	static const unsigned shifts[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
	uint64_t year, month, day, y;

	if (text.size < 10 || text.at[4] != '-' || text.at[7] != '-' ||
	    !slice_number((struct slice){text.at, 4}, 9999, &year) ||
	    !slice_number((struct slice){text.at + 5, 2}, 12, &month) ||
	    !slice_number((struct slice){text.at + 8, 2}, 31, &day) || !year || !month || !day)
		return false;
	y = year - (month < 3);
	*date = (struct date){(unsigned)year, (unsigned)month, (unsigned)day,
	    (unsigned)((y + y / 4 - y / 100 + y / 400 + shifts[month - 1] + day) % 7)};
	return true;
}

static void
put_date(struct text *out, const struct date *date, struct slice format)
{
	static const char *const months[] = {"January", "February", "March", "April", "May", "June",
	    "July", "August", "September", "October", "November", "December"};
	static const char *const days[] = {
	    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

	for (size_t i = 0; i < format.size; i++) {
		switch (format.at[i]) {
		case 'Y':
			text_integer(out, date->year);
			break;
		case 'm':
			text_char(out, (char)('0' + date->month / 10));
			text_char(out, (char)('0' + date->month % 10));
			break;
		case 'd':
			text_integer(out, date->day);
			break;
		case 'B':
			text_string(out, months[date->month - 1]);
			break;
		case 'b':
			text_put(out, months[date->month - 1], 3);
			break;
		case 'A':
			text_string(out, days[date->weekday]);
			break;
		case 'a':
			text_put(out, days[date->weekday], 3);
			break;
		default:
			text_char(out, format.at[i]);
			break;
		}
	}
}

/* What is no date is printed as it is. */
struct value
run_date(struct call *c)
{
	struct slice text = call_text(c, 0);
	struct slice format = c->count > 1 ? call_text(c, 1) : slice_of("d B Y");
	struct date date;

	if (!parse_date(text, &date))
		return value_string(text);
	text_clear(c->scratch);
	put_date(c->scratch, &date, format);
	return call_scratch(c, VALUE_STRING);
}
