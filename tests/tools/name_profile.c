/*
 * name_profile.c: makes a fixture of a profile that was recorded: names for its addresses, and nothing of the machine.
 *
 *	name_profile IN OUT.pb.gz [--debug-file FILE]… BINARY…
 *
 * Names come from the binaries as in `profuse tune --binary`. Of files and mappings only the last part of the path
 * stays; comments go.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "profile/model.h"
#include "report/frames.h"
#include "report/symbolize.h"

static void
require(int rc, const struct pf_error *err)
{
	if (rc) {
		fprintf(stderr, "name_profile: %s\n", err->message);
		exit(1);
	}
}

static void
shorten(struct pf_profile *p, uint32_t *path, struct pf_error *err)
{
	const char *name = pf_base_name(pf_profile_string(p, *path));
	char copy[512];

	snprintf(copy, sizeof copy, "%s", name);
	require(pf_strings_add(&p->strings, copy, strlen(copy), path, err), err);
}

int
main(int argc, char **argv)
{
	const char *binaries[64], *debug_files[64];
	struct pf_symbolize_options o = {
	    .binaries = binaries, .debug_files = debug_files, .may_lack = true};
	struct pf_error err = {0};
	struct pf_profile *p;

	if (argc < 4 || argc > 64) {
		fprintf(stderr, "usage: name_profile IN OUT.pb.gz [--debug-file FILE]… BINARY…\n");
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		if (strcmp(argv[i], "--debug-file") == 0 && i + 1 < argc)
			debug_files[o.debug_file_count++] = argv[++i];
		else
			binaries[o.binary_count++] = argv[i];
	}
	require(pf_profile_open(&p, argv[1], NULL, &err), &err);
	require(pf_profile_symbolize(p, &o, &err), &err);
	for (size_t i = 0; i < p->mapping_count; i++)
		shorten(p, &p->mappings[i].filename, &err);
	for (size_t i = 0; i < p->function_count; i++)
		shorten(p, &p->functions[i].filename, &err);
	p->comment_count = 0;
	require(pf_profile_write(p, argv[2], &err), &err);
	pf_profile_free(p);
	return 0;
}
