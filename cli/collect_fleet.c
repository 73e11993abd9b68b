/* collect_fleet.c: see collect_fleet.h. */
#include "collect_fleet.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

static void
tell_error(void *data, bool wrong, const char *line)
{
	(void)data;
	fprintf(stderr, "profuse: %s%s\n", wrong ? "" : "warning: ", line);
}

int
collect_fleet_run(const struct pf_fleet_options *options, struct pf_error *err)
{
	return pf_fleet_run(options, tell_error, NULL, err);
}

struct findings {
	json_t *wrong, *warnings;
};

static void
keep_finding(void *data, bool wrong, const char *line)
{
	struct findings *f = data;

	tell_error(NULL, wrong, line);
	json_array_append_new(wrong ? f->wrong : f->warnings, json_string(line));
}

int
collect_fleet_check(const char *config, bool json, struct pf_error *err)
{
	struct findings found = {json_array(), json_array()};
	int rc = pf_fleet_check(config, keep_finding, &found, err);
	json_t *root;

	if (!rc && !json)
		fprintf(stderr, "%s is in order\n", config);
	if (json) {
		root = json_pack("{s:s, s:s, s:s, s:b, s:O, s:O}", "schema", "profuse.collect.v1",
		    "verb", "check-config", "config", config, "ok", rc == 0, "mistakes",
		    found.wrong, "warnings", found.warnings);
		if (!root || json_dumpf(root, stdout, JSON_INDENT(2)) || putchar('\n') == EOF)
			rc = pf_error_set(err, PF_EIO, "cannot write to standard output");
		json_decref(root);
	}
	json_decref(found.wrong);
	json_decref(found.warnings);
	return rc;
}
