/* The collector's configuration: everything wrong at once, with line and key; and what is right becomes what. */
#include "support/unit.h"

#include <math.h>

#include "collect/config.h"
#include "core/file.h"
#include "support/temporary.h"

static char folder[64], path[128];
static struct pf_config *config;
static struct pf_buffer problems;
static struct pf_error err;

static int
set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "%s", temporary_make());
	snprintf(path, sizeof path, "%s/c.yaml", folder);
	pf_buffer_init(&problems, 1 << 20);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	pf_config_free(config);
	config = NULL;
	pf_buffer_release(&problems);
	temporary_remove(folder);
	return 0;
}

static int
load(const char *text)
{
	int rc;

	assert_int_equal(pf_file_write(path, text, strlen(text), &err), 0);
	pf_config_free(config);
	pf_buffer_clear(&problems);
	rc = pf_config_load(&config, path, &problems, &err);
	pf_buffer_byte(&problems, 0);
	return rc;
}

/* "LINE: key: what" must be among the mistakes. */
static void
assert_problem(const char *expected)
{
	char whole[400];

	snprintf(whole, sizeof whole, "%s:%s", path, expected);
	if (!strstr((const char *)problems.bytes, whole))
		fail_msg("no \"%s\" in\n%s", whole, (const char *)problems.bytes);
}

static size_t
problem_count(void)
{
	size_t n = 0;

	for (size_t i = 0; i < problems.size; i++)
		n += problems.bytes[i] == '\n';
	return n;
}

static void
a_small_configuration_gets_the_defaults(void **state)
{
	const struct pf_job_config *j;
	(void)state;

	if (load("scrape_configs:\n"
		 "  - job_name: api\n"
		 "    static_configs: [{targets: ['a:1', 'b:2'], labels: {zone: x}}]\n"))
		fail_msg("%s\n%s", err.message, (const char *)problems.bytes);
	assert_int_equal(config->job_count, 1);
	j = &config->jobs[0];
	assert_string_equal(j->name, "api");
	assert_true(j->interval == 600 && j->timeout == 30 && j->seconds == 30);
	assert_int_equal(j->types.count, 1);
	assert_string_equal(j->types.items[0], "cpu");
	assert_int_equal(j->statics[0].targets.count, 2);
	assert_string_equal(j->statics[0].labels.items[0].value, "x");
	assert_string_equal(config->listen, "127.0.0.1:2122");
	assert_true(config->budget.fleet == 0.001);
}

static void
values_are_read_in_their_units(void **state)
{
	const struct pf_job_config *j;
	(void)state;

	if (load("global: {scrape_interval: 1h30m, seconds: 60, types: [cpu, heap], seed: 7,\n"
		 "         external_labels: {region: eu}}\n"
		 "budget: {fleet: 0.5%, target: 0.02, snapshot_cost: 20ms}\n"
		 "retention: [{types: heap, max_age: 7d, max_bytes: 2GB}, {triggered: true}]\n"
		 "shard: 1/4\n"
		 "scrape_configs:\n"
		 "  - job_name: api\n"
		 "    scheme: https\n"
		 "    sample: 10%\n"
		 "    params: {key: value}\n"
		 "    headers: {X-Tenant: t1}\n"
		 "    cookie: a=b\n"
		 "    proxy_url: http://proxy:3128\n"
		 "    authorization: {type: Token, credentials: abc}\n"
		 "    http_sd_configs: [{url: 'http://sd/targets', refresh_interval: 30s}]\n"
		 "  - job_name: db\n"
		 "    sample: 5\n"
		 "    file_sd_configs: [{files: [db-*.json]}]\n"
		 "triggers:\n"
		 "  - {name: slow, jobs: [api], metric: latency, quantile: 0.95, jump: 3, floor: "
		 "0.1,\n"
		 "     for: 1m, cooldown: 10m}\n"))
		fail_msg("%s\n%s", err.message, (const char *)problems.bytes);
	j = &config->jobs[0];
	assert_true(j->interval == 5400 && j->seconds == 60);
	assert_true(config->budget.fleet == 0.005 && config->budget.target == 0.02);
	assert_true(fabs(config->budget.snapshot_cost - 0.02) < 1e-12);
	assert_int_equal(config->retention_count, 2);
	assert_true(config->retention[0].max_age == 604800);
	assert_true(config->retention[0].max_bytes == (uint64_t)2 << 30);
	assert_true(config->retention[1].triggered);
	assert_int_equal(j->sample.kind, PF_SAMPLE_SHARE);
	assert_true(fabs(j->sample.share - 0.1) < 1e-12);
	assert_int_equal(config->jobs[1].sample.count, 5);
	assert_int_equal(j->client.credentials.header_count, 3);
	assert_string_equal(j->client.credentials.headers[0], "X-Tenant: t1");
	assert_string_equal(j->client.credentials.headers[1], "Cookie: a=b");
	assert_string_equal(j->client.credentials.headers[2], "Authorization: Token abc");
	assert_null(j->client.credentials.bearer);
	assert_true(j->https[0].refresh_interval == 30);
	assert_non_null(strstr(config->jobs[1].files[0].files.items[0], folder));
	assert_int_equal(config->triggers[0].kind, PF_TRIGGER_JUMP);
	assert_true(config->triggers[0].wait == 60 && config->triggers[0].cooldown == 600);
}

static void
every_mistake_is_told_in_one_run(void **state)
{
	(void)state;
	assert_int_equal(load("listn: 127.0.0.1:1\n"
			      "global:\n"
			      "  scrape_interval: 10x\n"
			      "  types: [cpu, heaps]\n"
			      "budget: {fleet: 0%}\n"
			      "scrape_configs:\n"
			      "  - job_name: a\n"
			      "    scrape_interval: 20s\n"
			      "    static_configs: [{targets: ['http://x/'], labels: {9a: b}}]\n"
			      "    relabel_configs:\n"
			      "      - {action: hashmod, regex: '(a'}\n"
			      "    tls_config: {key_file: none.pem}\n"
			      "    basic_auth: {username: u}\n"
			      "  - job_name: a\n"
			      "    sample: 0\n"
			      "    static_configs: {}\n"
			      "triggers:\n"
			      "  - {name: t, jobs: [b], metric: m, above: 1, below: 2}\n"),
	    PF_EUSAGE);
	assert_problem("1: listn: unknown key; is listen meant?");
	assert_problem("3: global.scrape_interval: 10x: expected a duration");
	assert_problem("4: global.types: heaps: there are cpu,");
	assert_problem("5: budget: a ceiling of 0");
	assert_problem("7: scrape_configs[0]: a CPU profile of 30 s does not fit");
	assert_problem("9: scrape_configs[0].static_configs[0]: targets[0]: http://x/");
	assert_problem("9: scrape_configs[0].static_configs[0].labels: 9a can't be");
	assert_problem("11: scrape_configs[0].relabel_configs[0].regex: (a: missing");
	assert_problem("11: scrape_configs[0].relabel_configs[0]: hashmod needs modulus");
	assert_problem("12: scrape_configs[0].tls_config: key_file without cert_file");
	assert_problem("13: scrape_configs[0].basic_auth: give password_file");
	assert_problem("14: scrape_configs[1]: job_name: a is the name of another job");
	assert_problem("15: scrape_configs[1].sample: expected a number");
	assert_problem("16: scrape_configs[1].static_configs: expected a list, not a mapping");
	assert_problem("18: triggers[0]: give one of above, below, jump and imbalance");
	assert_problem("18: triggers[0]: jobs: there is no job b");
	assert_message_has(err, "mistakes");
	assert_null(config);
}

static void
broken_yaml_names_its_line(void **state)
{
	(void)state;
	assert_int_equal(load("global:\n  a: [1, 2\nb: c\n"), PF_EUSAGE);
	assert_message_has(err, ":3:");
	assert_int_equal(load("a: &x [*x]\n"), PF_EUSAGE);
	assert_int_equal(load(""), PF_EUSAGE);
	assert_message_has(err, "empty");
	assert_int_equal(load("- a\n- b\n"), PF_EUSAGE);
	assert_problem("1: expected a mapping, not a list");
	assert_int_equal(load("a: b\n---\nc: d\n"), PF_EUSAGE);
	assert_message_has(err, "a second document");
	assert_int_equal(load("global: \"\\0\"\n"), PF_EUSAGE);
	assert_message_has(err, "NUL");
}

static void
aliases_may_not_grow_without_end(void **state)
{
	char text[2000] = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
	(void)state;

	for (int i = 1; i < 12; i++) {
		size_t n = strlen(text);
		snprintf(text + n, sizeof text - n,
		    "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1,
		    i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	}
	assert_int_equal(load(text), PF_EUSAGE);
	assert_message_has(err, "aliases make this too large");
}

static void
a_key_given_twice_is_a_mistake(void **state)
{
	(void)state;
	assert_int_equal(load("store: a\nstore: b\nscrape_configs: []\n"), PF_EUSAGE);
	assert_problem("2: store: given twice");
}

static void
secrets_are_checked_but_never_quoted(void **state)
{
	(void)state;
	assert_int_equal(load("scrape_configs:\n"
			      "  - job_name: a\n"
			      "    static_configs: [{targets: ['a:1']}]\n"
			      "    authorization: {credentials: 's3cret two'}\n"),
	    PF_EUSAGE);
	assert_null(strstr((const char *)problems.bytes, "s3cret"));
	assert_int_equal(problem_count(), 1);
}

static void
a_plan_beyond_the_budget_is_noted(void **state)
{
	(void)state;
	assert_int_equal(load("global: {scrape_interval: 1m}\n"
			      "scrape_configs:\n"
			      "  - job_name: a\n"
			      "    static_configs: [{targets: ['a:1']}]\n"
			      "    tls_config: {insecure_skip_verify: true}\n"),
	    0);
	pf_buffer_byte(&config->notes, 0);
	assert_non_null(strstr((const char *)config->notes.bytes,
	    "job a plans 1 % of its targets' CPU, the budget allows 0.1 %"));
	assert_non_null(strstr((const char *)config->notes.bytes, "NOT verified"));
}

static void
shards_are_i_of_n(void **state)
{
	uint64_t i, n;
	(void)state;

	assert_true(pf_parse_shard("0/1", &i, &n));
	assert_true(pf_parse_shard("3/4", &i, &n) && i == 3 && n == 4);
	assert_false(pf_parse_shard("4/4", &i, &n));
	assert_false(pf_parse_shard("1/", &i, &n));
	assert_false(pf_parse_shard("/3", &i, &n));
	assert_false(pf_parse_shard("1/0", &i, &n));
	assert_false(pf_parse_shard("-1/2", &i, &n));
}

int
main(void)
{
#define config_test(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    config_test(a_small_configuration_gets_the_defaults),
	    config_test(values_are_read_in_their_units),
	    config_test(every_mistake_is_told_in_one_run),
	    config_test(broken_yaml_names_its_line),
	    config_test(aliases_may_not_grow_without_end),
	    config_test(a_key_given_twice_is_a_mistake),
	    config_test(secrets_are_checked_but_never_quoted),
	    config_test(a_plan_beyond_the_budget_is_noted),
	    config_test(shards_are_i_of_n),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
