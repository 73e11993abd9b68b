/* relabel.c: see relabel.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "relabel.h"

#include <ctype.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include <pcre2.h>

#include "core/error.h"
#include "core/md5.h"
#include "core/utf8.h"

enum { MATCH_LIMIT = 100000, VALUE_MAX = 1 << 20 };

static const char actions[] = "replace|keep|drop|keepequal|dropequal|hashmod|labelmap|labeldrop|"
			      "labelkeep|lowercase|uppercase";

uint64_t
pf_hashmod(const char *value, uint64_t n)
{
	uint8_t digest[16];
	uint64_t number = 0;

	pf_md5(value, strlen(value), digest);
	for (size_t i = 8; i < sizeof digest; i++)
		number = number << 8 | digest[i];
	return number % n;
}

static void
compile(struct pf_reading *r, const struct pf_place *place, struct pf_relabel_rule *rule)
{
	struct pf_place where = {.parent = place, .key = "regex", .node = place->node};
	int code;
	size_t offset;
	PCRE2_UCHAR said[200];

	if (pf_node_get(place->node, "regex"))
		where.node = pf_node_get(place->node, "regex");
	rule->compiled = pcre2_compile((PCRE2_SPTR)rule->regex, PCRE2_ZERO_TERMINATED,
	    PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY |
		PCRE2_NEVER_BACKSLASH_C,
	    &code, &offset, NULL);
	if (rule->compiled)
		return;
	pcre2_get_error_message(code, said, sizeof said);
	pf_problem(r, &where, "%s: %s at character %zu", rule->regex, (const char *)said, offset);
}

static bool
needs_target(int action)
{
	return action == PF_RELABEL_REPLACE || action == PF_RELABEL_HASHMOD ||
	       action == PF_RELABEL_KEEPEQUAL || action == PF_RELABEL_DROPEQUAL ||
	       action == PF_RELABEL_LOWERCASE || action == PF_RELABEL_UPPERCASE;
}

/* The replace action may build its target's name from groups: ${1}_x. */
static bool
is_target_template(const char *name)
{
	char plain[256];
	size_t n = 0;

	for (; *name && n + 1 < sizeof plain; name++) {
		if (*name == '$' || *name == '{' || *name == '}')
			continue;
		plain[n++] = *name;
	}
	plain[n] = '\0';
	return n == 0 || pf_label_name_valid(plain) || isdigit((unsigned char)plain[0]);
}

static void
check_rule(struct pf_reading *r, const struct pf_place *place, const struct pf_relabel_rule *rule)
{
	bool template = rule->action == PF_RELABEL_REPLACE && rule->target_label &&
			strchr(rule->target_label, '$');

	if (needs_target(rule->action) && !rule->target_label)
		pf_problem(r, place, "this action needs target_label");
	else if (needs_target(rule->action) &&
		 !(template ? is_target_template(rule->target_label)
			    : pf_label_name_valid(rule->target_label)))
		pf_problem(
		    r, place, "target_label: %s can't be a label's name", rule->target_label);
	if (rule->action == PF_RELABEL_HASHMOD && !rule->modulus)
		pf_problem(r, place, "hashmod needs modulus, greater than 0");
	if ((rule->action == PF_RELABEL_LABELDROP || rule->action == PF_RELABEL_LABELKEEP) &&
	    (rule->source_labels.count || rule->target_label || rule->modulus))
		pf_problem(r, place, "labeldrop and labelkeep take regex and nothing else");
}

static const struct pf_field fields[] = {
    {"action", PF_FIELD_CHOICE, offsetof(struct pf_relabel_rule, action), .choices = actions},
    {"source_labels", PF_FIELD_STRINGS, offsetof(struct pf_relabel_rule, source_labels)},
    {"separator", PF_FIELD_STRING, offsetof(struct pf_relabel_rule, separator)},
    {"target_label", PF_FIELD_STRING, offsetof(struct pf_relabel_rule, target_label)},
    {"regex", PF_FIELD_STRING, offsetof(struct pf_relabel_rule, regex)},
    {"replacement", PF_FIELD_STRING, offsetof(struct pf_relabel_rule, replacement)},
    {"modulus", PF_FIELD_COUNT, offsetof(struct pf_relabel_rule, modulus)},
    {NULL},
};

/* An empty separator or replacement is a value here, not a missing one. */
static void
read_rule(struct pf_reading *r, const struct pf_place *place, struct pf_relabel_rule *rule)
{
	*rule = (struct pf_relabel_rule){.separator = ";", .regex = "(.*)", .replacement = "$1"};
	pf_fields_read(r, place, fields, rule);
	if (place->node->kind != PF_NODE_MAP)
		return;
	check_rule(r, place, rule);
	compile(r, place, rule);
}

void
pf_relabel_read(struct pf_reading *r, const struct pf_place *place, void *object)
{
	struct pf_relabel *relabel = object;

	if (!pf_place_is_list(r, place))
		return;
	relabel->items = pf_reading_get(r, place->node->count * sizeof *relabel->items);
	for (size_t i = 0; relabel->items && i < place->node->count; i++) {
		struct pf_place item = pf_place_item(place, i);
		read_rule(r, &item, &relabel->items[i]);
		relabel->count++;
	}
}

void
pf_relabel_release(struct pf_relabel *relabel)
{
	for (size_t i = 0; i < relabel->count; i++)
		pcre2_code_free(relabel->items[i].compiled);
	*relabel = (struct pf_relabel){0};
}

/* One value against one expression. */
struct match {
	pcre2_match_data *data;
	const char *subject;
	bool matched;
};

static int
match(
    struct match *m, const struct pf_relabel_rule *rule, const char *subject, struct pf_error *err)
{
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	int rc = 0, found;

	*m = (struct match){.subject = subject};
	if (limits)
		m->data = pcre2_match_data_create_from_pattern(rule->compiled, NULL);
	if (!m->data) {
		pcre2_match_context_free(limits);
		return pf_error_nomem(err);
	}
	pcre2_set_match_limit(limits, MATCH_LIMIT);
	found = pcre2_match(
	    rule->compiled, (PCRE2_SPTR)subject, strlen(subject), 0, 0, m->data, limits);
	if (found == PCRE2_ERROR_NOMEMORY)
		rc = pf_error_nomem(err);
	else if (found < 0 && found != PCRE2_ERROR_NOMATCH)
		rc = pf_error_set(err, PF_EUSAGE,
		    "relabelling: %s takes too long on \"%.100s\"; write the expression simpler",
		    rule->regex, subject);
	m->matched = found > 0;
	pcre2_match_context_free(limits);
	return rc;
}

static void
add_group(struct pf_buffer *out, const struct match *m, uint32_t group)
{
	size_t *at = pcre2_get_ovector_pointer(m->data);

	if (group < pcre2_get_ovector_count(m->data) && at[(size_t)2 * group] != PCRE2_UNSET)
		pf_buffer_add(out, m->subject + at[(size_t)2 * group],
		    at[(size_t)2 * group + 1] - at[(size_t)2 * group]);
}

/* The group of this name: a number, or a name of the expression's; others are empty. */
static void
add_named(struct pf_buffer *out, const struct match *m, const struct pf_relabel_rule *rule,
    const char *name, size_t size)
{
	char copy[64];
	int group;

	if (size >= sizeof copy)
		return;
	memcpy(copy, name, size);
	copy[size] = '\0';
	if (strspn(copy, "0123456789") == size && size < 6) {
		add_group(out, m, (uint32_t)strtoul(copy, NULL, 10));
		return;
	}
	group = pcre2_substring_number_from_name(rule->compiled, (PCRE2_SPTR)copy);
	if (group > 0)
		add_group(out, m, (uint32_t)group);
}

static size_t
name_length(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || text[n] == '_')
		n++;
	return n;
}

/* Go's Regexp.Expand: $name as far as letters, digits and _ go, ${name}, $$; anything else stays. */
static void
expand(struct pf_buffer *out, const struct match *m, const struct pf_relabel_rule *rule,
    const char *template)
{
	while (*template) {
		size_t plain = strcspn(template, "$"), name;
		pf_buffer_add(out, template, plain);
		template += plain;
		if (!*template)
			break;
		if (template[1] == '$') {
			pf_buffer_byte(out, '$');
			template += 2;
		} else if (template[1] == '{' && (name = name_length(template + 2)) &&
			   template[2 + name] == '}') {
			add_named(out, m, rule, template + 2, name);
			template += 3 + name;
		} else if ((name = name_length(template + 1))) {
			add_named(out, m, rule, template + 1, name);
			template += 1 + name;
		} else {
			pf_buffer_byte(out, '$');
			template ++;
		}
	}
	pf_buffer_byte(out, 0);
}

static int
join(struct pf_buffer *value, const struct pf_relabel_rule *rule, const struct pf_labelset *labels,
    struct pf_error *err)
{
	for (size_t i = 0; i < rule->source_labels.count; i++) {
		if (i)
			pf_buffer_string(value, rule->separator);
		pf_buffer_string(value, pf_labelset_get(labels, rule->source_labels.items[i]));
	}
	pf_buffer_byte(value, 0);
	return pf_buffer_check(value, err);
}

static int
replace(const struct pf_relabel_rule *rule, const struct match *m, struct pf_labelset *labels,
    struct pf_error *err)
{
	struct pf_buffer name, value;
	int rc;

	pf_buffer_init(&name, VALUE_MAX);
	pf_buffer_init(&value, VALUE_MAX);
	expand(&name, m, rule, rule->target_label);
	expand(&value, m, rule, rule->replacement);
	rc = pf_buffer_check(&name, err);
	if (!rc)
		rc = pf_buffer_check(&value, err);
	if (!rc && !pf_label_name_valid((const char *)name.bytes))
		pf_labelset_remove(labels, rule->target_label);
	else if (!rc)
		rc = pf_labelset_set(
		    labels, (const char *)name.bytes, (const char *)value.bytes, err);
	pf_buffer_release(&name);
	pf_buffer_release(&value);
	return rc;
}

static void
add_character(struct pf_buffer *out, uint32_t point)
{
	char bytes[4];

	pf_buffer_add(out, bytes, pf_utf8_write(bytes, point));
}

static int
change_case(const struct pf_relabel_rule *rule, const char *value, struct pf_labelset *labels,
    struct pf_error *err)
{
	locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	const uint8_t *at = (const uint8_t *)value;
	size_t left = strlen(value);
	struct pf_buffer out;
	int rc;

	if (!unicode)
		return pf_error_nomem(err);
	pf_buffer_init(&out, VALUE_MAX);
	while (left) {
		uint32_t point = *at;
		size_t step = pf_utf8_character(at, left, &point);
		step = step ? step : 1;
		point = rule->action == PF_RELABEL_LOWERCASE
			    ? (uint32_t)towlower_l((wint_t)point, unicode)
			    : (uint32_t)towupper_l((wint_t)point, unicode);
		add_character(&out, point);
		at += step;
		left -= step;
	}
	pf_buffer_byte(&out, 0);
	freelocale(unicode);
	rc = pf_buffer_check(&out, err);
	if (!rc)
		rc = pf_labelset_set(labels, rule->target_label, (const char *)out.bytes, err);
	pf_buffer_release(&out);
	return rc;
}

static int
hashmod(const struct pf_relabel_rule *rule, const char *value, struct pf_labelset *labels,
    struct pf_error *err)
{
	char number[24];

	snprintf(
	    number, sizeof number, "%llu", (unsigned long long)pf_hashmod(value, rule->modulus));
	return pf_labelset_set(labels, rule->target_label, number, err);
}

/* Go's ReplaceAllString of an anchored expression: the whole name, expanded. */
static int
map_name(const struct pf_relabel_rule *rule, const struct match *m, const char *value,
    struct pf_labelset *mapped, struct pf_error *err)
{
	struct pf_buffer name;
	int rc;

	pf_buffer_init(&name, VALUE_MAX);
	expand(&name, m, rule, rule->replacement);
	rc = pf_buffer_check(&name, err);
	if (!rc && pf_label_name_valid((const char *)name.bytes))
		rc = pf_labelset_set(mapped, (const char *)name.bytes, value, err);
	pf_buffer_release(&name);
	return rc;
}

/* labelmap: names that match give their value to the name that they become. */
static int
map_names(const struct pf_relabel_rule *rule, struct pf_labelset *labels, struct pf_error *err)
{
	struct pf_labelset mapped = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < labels->count; i++) {
		struct match m;
		rc = match(&m, rule, labels->items[i].name, err);
		if (!rc && m.matched)
			rc = map_name(rule, &m, labels->items[i].value, &mapped, err);
		pcre2_match_data_free(m.data);
	}
	if (!rc)
		rc = pf_labelset_copy(labels, &mapped, err);
	pf_labelset_release(&mapped);
	return rc;
}

/* labeldrop removes names that match, labelkeep the others. */
static int
drop_names(const struct pf_relabel_rule *rule, struct pf_labelset *labels, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = labels->count; !rc && i-- > 0;) {
		struct match m;
		rc = match(&m, rule, labels->items[i].name, err);
		if (!rc && m.matched == (rule->action == PF_RELABEL_LABELDROP))
			pf_labelset_remove(labels, labels->items[i].name);
		pcre2_match_data_free(m.data);
	}
	return rc;
}

static int
apply_value(const struct pf_relabel_rule *rule, const char *value, struct pf_labelset *labels,
    bool *kept, struct pf_error *err)
{
	struct match m = {0};
	int rc = 0;

	switch (rule->action) {
	case PF_RELABEL_KEEPEQUAL:
		*kept = strcmp(pf_labelset_get(labels, rule->target_label), value) == 0;
		return 0;
	case PF_RELABEL_DROPEQUAL:
		*kept = strcmp(pf_labelset_get(labels, rule->target_label), value) != 0;
		return 0;
	case PF_RELABEL_HASHMOD:
		return hashmod(rule, value, labels, err);
	case PF_RELABEL_LOWERCASE:
	case PF_RELABEL_UPPERCASE:
		return change_case(rule, value, labels, err);
	default:
		break;
	}
	rc = match(&m, rule, value, err);
	if (!rc && rule->action == PF_RELABEL_KEEP)
		*kept = m.matched;
	else if (!rc && rule->action == PF_RELABEL_DROP)
		*kept = !m.matched;
	else if (!rc && m.matched)
		rc = replace(rule, &m, labels, err);
	pcre2_match_data_free(m.data);
	return rc;
}

static int
apply_joined(const struct pf_relabel_rule *rule, struct pf_labelset *labels, bool *kept,
    struct pf_error *err)
{
	struct pf_buffer value;
	int rc;

	pf_buffer_init(&value, VALUE_MAX);
	rc = join(&value, rule, labels, err);
	if (!rc)
		rc = apply_value(rule, (const char *)value.bytes, labels, kept, err);
	pf_buffer_release(&value);
	return rc;
}

int
pf_relabel_apply(
    const struct pf_relabel *relabel, struct pf_labelset *labels, bool *kept, struct pf_error *err)
{
	int rc = 0;

	*kept = true;
	for (size_t i = 0; !rc && *kept && i < relabel->count; i++) {
		const struct pf_relabel_rule *rule = &relabel->items[i];
		if (rule->action == PF_RELABEL_LABELMAP)
			rc = map_names(rule, labels, err);
		else if (rule->action == PF_RELABEL_LABELDROP ||
			 rule->action == PF_RELABEL_LABELKEEP)
			rc = drop_names(rule, labels, err);
		else
			rc = apply_joined(rule, labels, kept, err);
	}
	return rc;
}
