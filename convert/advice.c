/* advice.c: see advice.h. */
#include "convert/advice.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "convert/bolt.h"
#include "core/file.h"
#include "symbol/binary.h"

const char *
pf_format_name(enum pf_convert_format format)
{
	static const char *const names[] = {
	    "extbinary", "text", "folded", "go-pgo", "go-preprofile", "bolt", "gcc"};

	return names[format];
}

const char *
pf_advice_verb(enum pf_convert_format format)
{
	if (format == PF_CONVERT_FOLDED)
		return "draw with";
	return format == PF_CONVERT_BOLT ? "optimise with" : "build with";
}

static void
add_quoted(struct pf_buffer *b, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "%+,-./:=@_";

	if (word[strspn(word, plain)] == '\0') {
		pf_buffer_string(b, word);
		return;
	}
	pf_buffer_byte(b, '\'');
	for (; *word; word++)
		if (*word == '\'')
			pf_buffer_string(b, "'\\''");
		else
			pf_buffer_byte(b, (uint8_t)*word);
	pf_buffer_byte(b, '\'');
}

/* Whether a folder of PATH has the program, or which version N of "program-N" is its newest. */
static void
look_for_tool(const char *folder, const char *program, bool *plain, long *newest)
{
	size_t size = strlen(program);
	char path[4096];
	struct dirent *entry;
	DIR *dir;

	if (snprintf(path, sizeof path, "%s/%s", folder, program) < (int)sizeof path)
		*plain |= access(path, X_OK) == 0;
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		char *end;
		long version;

		if (strncmp(entry->d_name, program, size) != 0 || entry->d_name[size] != '-')
			continue;
		version = strtol(entry->d_name + size + 1, &end, 10);
		if (*end == '\0' && version > *newest && version < 1000)
			*newest = version;
	}
	if (dir)
		closedir(dir);
}

/* The program, or where only numbered ones are installed the newest of them. */
static void
add_tool(struct pf_buffer *b, const char *program)
{
	const char *at = getenv("PATH");
	bool plain = false;
	long newest = 0;

	for (at = at ? at : ""; *at && !plain;) {
		size_t size = strcspn(at, ":");
		char folder[4000];

		if (snprintf(folder, sizeof folder, "%.*s", (int)size, size ? at : ".") <
		    (int)sizeof folder)
			look_for_tool(folder, program, &plain, &newest);
		at += size + (at[size] == ':');
	}
	pf_buffer_string(b, program);
	if (!plain && newest)
		pf_buffer_printf(b, "-%ld", newest);
}

/*
 * Whether functions have C++'s names. clang gives C's static functions such names too, where it makes them unique: those
 * that have the form of both say nothing.
 */
static bool
is_cpp(const struct pf_convert *c)
{
	const struct pf_strings *names = &c->functions.names;

	for (uint32_t i = 1; i < names->count; i++) {
		const char *name = pf_strings_get(names, i);
		size_t size;

		if (strncmp(name, "_Z", 2) == 0 && pf_source_name(name, &size) == name)
			return true;
	}
	return false;
}

/* The program that takes the output. */
static void
add_program(struct pf_buffer *b, const struct pf_convert *c)
{
	switch (c->options.format) {
	case PF_CONVERT_EXTBINARY:
	case PF_CONVERT_TEXT:
		add_tool(b, is_cpp(c) ? "clang++" : "clang");
		break;
	case PF_CONVERT_FOLDED:
		pf_buffer_string(b, "flamegraph.pl");
		break;
	case PF_CONVERT_BOLT:
		add_tool(b, "llvm-bolt");
		break;
	case PF_CONVERT_GCC:
		add_tool(b, is_cpp(c) ? "g++" : "gcc");
		break;
	case PF_CONVERT_GO_PGO:
		pf_buffer_string(b, "go build");
		break;
	case PF_CONVERT_GO_PREPROFILE:
		pf_buffer_string(b, "go tool compile");
		break;
	}
}

static void
add_bolt_flags(
    struct pf_buffer *b, const struct pf_convert *c, const char *binary, const char *file)
{
	char bolted[4096];

	snprintf(bolted, sizeof bolted, "%s.bolt", binary);
	add_quoted(b, binary);
	pf_buffer_string(b, " -o ");
	add_quoted(b, bolted);
	pf_buffer_string(b, " -data=");
	add_quoted(b, file);
	pf_buffer_string(b, " " PF_BOLT_BLOCK_FLAGS);
	if (pf_bolt_moves_functions(c->binary))
		pf_buffer_string(b, " " PF_BOLT_FUNCTION_FLAGS);
}

static const char *
named_file(const char *output)
{
	return output && strcmp(output, "-") != 0 ? output : "FILE";
}

void
pf_advice_lto_flags(struct pf_buffer *b, const struct pf_convert *c, const char *output)
{
	if (!pf_format_is_llvm(c->options.format))
		return;
	pf_buffer_string(b, "-fprofile-sample-use=");
	add_quoted(b, named_file(output));
	if (!c->report.probes)
		pf_buffer_string(b, " " PF_LTO_INFERENCE_FLAGS " " PF_LTO_LAYOUT_FLAGS);
}

static void
add_flags(struct pf_buffer *b, const struct pf_convert *c, const char *binary, const char *file)
{
	switch (c->options.format) {
	case PF_CONVERT_EXTBINARY:
	case PF_CONVERT_TEXT:
		pf_buffer_string(b, PF_DEBUG_FLAGS);
		if (c->report.probes)
			pf_buffer_string(b, " " PF_PROBE_FLAGS);
		else if (c->report.unique_names)
			pf_buffer_string(b, " " PF_UNIQUE_FLAGS);
		pf_buffer_string(b, " -fprofile-sample-use=");
		add_quoted(b, file);
		if (!c->report.probes)
			pf_buffer_string(b, " " PF_INFERENCE_FLAGS " " PF_LAYOUT_FLAGS);
		break;
	case PF_CONVERT_FOLDED:
		add_quoted(b, file);
		pf_buffer_string(b, " >flame.svg");
		break;
	case PF_CONVERT_BOLT:
		add_bolt_flags(b, c, binary, file);
		break;
	case PF_CONVERT_GCC:
		pf_buffer_string(b, PF_GCC_DEBUG_FLAGS " -fauto-profile=");
		add_quoted(b, file);
		break;
	case PF_CONVERT_GO_PGO:
		pf_buffer_string(b, "-pgo=");
		add_quoted(b, file);
		break;
	case PF_CONVERT_GO_PREPROFILE:
		pf_buffer_string(b, "-pgoprofile=");
		add_quoted(b, file);
		break;
	}
}

void
pf_advice_flags(struct pf_buffer *b, const struct pf_convert *c, const char *output)
{
	add_flags(b, c, c->binary_path, named_file(output));
}

void
pf_advice_flags_here(struct pf_buffer *b, const struct pf_convert *c, const char *output)
{
	add_flags(b, c, c->binary_path ? pf_base_name(c->binary_path) : NULL,
	    pf_base_name(named_file(output)));
}

void
pf_advice_command(struct pf_buffer *b, const struct pf_convert *c, const char *output)
{
	add_program(b, c);
	pf_buffer_byte(b, ' ');
	pf_advice_flags(b, c, output);
}
