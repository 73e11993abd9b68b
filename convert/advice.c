/* advice.c: see advice.h. */
#include "convert/advice.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *
pf_format_name(enum pf_convert_format format)
{
	static const char *const names[] = {
	    "extbinary", "text", "folded", "go-pgo", "go-preprofile"};

	return names[format];
}

const char *
pf_advice_verb(enum pf_convert_format format)
{
	return format == PF_CONVERT_FOLDED ? "draw with" : "build with";
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

/* Whether a folder of PATH has the program, or which version N of "clang-N" is its newest. */
static void
look_for_clang(const char *folder, bool *plain, long *newest)
{
	char path[4096];
	struct dirent *entry;
	DIR *dir;

	if (snprintf(path, sizeof path, "%s/clang", folder) < (int)sizeof path)
		*plain |= access(path, X_OK) == 0;
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		char *end;
		long version;

		if (strncmp(entry->d_name, "clang-", 6) != 0)
			continue;
		version = strtol(entry->d_name + 6, &end, 10);
		if (*end == '\0' && version > *newest && version < 1000)
			*newest = version;
	}
	if (dir)
		closedir(dir);
}

static void
add_clang(struct pf_buffer *b)
{
	const char *at = getenv("PATH");
	bool plain = false;
	long newest = 0;

	for (at = at ? at : ""; *at && !plain;) {
		size_t size = strcspn(at, ":");
		char folder[4000];

		if (snprintf(folder, sizeof folder, "%.*s", (int)size, size ? at : ".") <
		    (int)sizeof folder)
			look_for_clang(folder, &plain, &newest);
		at += size + (at[size] == ':');
	}
	if (plain || !newest)
		pf_buffer_string(b, "clang");
	else
		pf_buffer_printf(b, "clang-%ld", newest);
}

void
pf_advice_command(struct pf_buffer *b, const struct pf_report *r, enum pf_convert_format format,
    const char *output)
{
	const char *file = output && strcmp(output, "-") != 0 ? output : "FILE";

	switch (format) {
	case PF_CONVERT_EXTBINARY:
	case PF_CONVERT_TEXT:
		if (r->of_go) { /* clang does not build these functions */
			pf_buffer_string(b,
			    "profuse convert --format go-pgo -o default.pgo PROFILE... && "
			    "go build -pgo=default.pgo");
			break;
		}
		add_clang(b);
		pf_buffer_string(b, " " PF_DEBUG_FLAGS " -fprofile-sample-use=");
		add_quoted(b, file);
		pf_buffer_string(b, " " PF_INFERENCE_FLAGS);
		break;
	case PF_CONVERT_FOLDED:
		pf_buffer_string(b, "flamegraph.pl ");
		add_quoted(b, file);
		pf_buffer_string(b, " >flame.svg");
		break;
	case PF_CONVERT_GO_PGO:
		pf_buffer_string(b, "go build -pgo=");
		add_quoted(b, file);
		break;
	case PF_CONVERT_GO_PREPROFILE:
		pf_buffer_string(b, "go tool compile -pgoprofile=");
		add_quoted(b, file);
		break;
	}
}
