/* What there is to try: grids as environments, gated by what the program is. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/temporary.h"
#include "support/unit.h"
#include "tuner/settings.h"

static struct pf_setting settings[PF_MOST_TRIED];

/* As pf_program_inspect() sees a file: an ELF header, then Go's build information of this version. */
static struct pf_program
inspect_go(const char *version)
{
	struct pf_program p;
	const char *folder = temporary_make();
	char path[128], bytes[256] = "\177ELF";
	FILE *f;

	memcpy(bytes + 64, "\xff Go buildinf:", 14);
	bytes[64 + 14] = 8;
	bytes[64 + 15] = 2;
	bytes[64 + 32] = (char)strlen(version);
	memcpy(bytes + 64 + 33, version, strlen(version));
	snprintf(path, sizeof path, "%s/service", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, sizeof bytes, 1, f), 1);
	assert_int_equal(fclose(f), 0);
	pf_program_inspect(&p, path);
	temporary_remove(folder);
	return p;
}

static size_t
list(const struct pf_program *p, const char *only, double limit)
{
	struct pf_error err = {0};
	size_t count;

	if (pf_settings_list(settings, &count, p, only, limit, &err))
		fail_msg("%s", err.message);
	assert_true(count <= PF_MOST_TRIED);
	assert_string_equal(settings[0].name, "today");
	assert_int_equal(settings[0].variable_count, 0);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(settings[i].name, settings[j].name);
	}
	return count;
}

static bool
has_variable(const struct pf_setting *s, const char *start)
{
	for (size_t i = 0; i < s->variable_count; i++) {
		if (strncmp(s->variables[i], start, strlen(start)) == 0)
			return true;
	}
	return false;
}

static void
a_go_programs_version_is_read_from_its_build_information(void **state)
{
	struct pf_program p = inspect_go("go1.26.1");
	(void)state;

	assert_true(p.go);
	assert_int_equal(p.go_version, 126);
	assert_int_equal(inspect_go("go1.9").go_version, 109);
	assert_int_equal(inspect_go("devel +abc").go_version, 0);
	assert_true(inspect_go("devel +abc").go);
}

static void
go_has_a_grid_of_forty_along_gogc(void **state)
{
	struct pf_program p = inspect_go("go1.26.1");
	size_t count;
	(void)state;

	unsetenv("GOGC");
	unsetenv("GODEBUG");
	count = list(&p, NULL, NAN);
	assert_true(count >= 40);
	for (size_t i = 1; i < count; i++) {
		assert_true(has_variable(&settings[i], "GOGC="));
		assert_false(has_variable(&settings[i], "GOMEMLIMIT="));
		assert_false(has_variable(&settings[i], "GOMAXPROCS="));
		assert_true(settings[i].dial > 0);
		if (i > 1 && settings[i].series == settings[i - 1].series)
			assert_true(settings[i].dial > settings[i - 1].dial);
	}
	/* Today's stands for GOGC=100 without more: it is not there twice. */
	assert_true(settings[0].dial == 100);
	for (size_t i = 1; i < count; i++)
		assert_string_not_equal(settings[i].name, "GOGC=100");
}

static void
go_settings_are_gated_by_version_and_limit(void **state)
{
	struct pf_program p = inspect_go("go1.15.2");
	size_t count = list(&p, NULL, NAN);
	(void)state;

	for (size_t i = 1; i < count; i++)
		assert_false(has_variable(&settings[i], "GODEBUG="));
	setenv("GODEBUG", "http2client=0", 1);
	p = inspect_go("go1.26.1");
	count = list(&p, NULL, 1024.0 * (1 << 20));
	for (size_t i = 1; i < count; i++) {
		assert_true(has_variable(&settings[i], "GOMEMLIMIT=922MiB"));
		if (settings[i].series)
			assert_true(has_variable(&settings[i], "GODEBUG=http2client=0,"));
	}
	unsetenv("GODEBUG");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_go_programs_version_is_read_from_its_build_information),
	    cmocka_unit_test(go_has_a_grid_of_forty_along_gogc),
	    cmocka_unit_test(go_settings_are_gated_by_version_and_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
