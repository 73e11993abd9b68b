/* What we write, read back by ourselves and by the generated protobuf-c codec. */
#include "support/unit.h"

#include "profile.pb-c.h"
#include "profile/encode.h"
#include "support/sample_profile.h"

static void
our_bytes_mean_the_same_to_the_generated_codec(void **state)
{
	struct pf_buffer in = {.maximum = 1 << 20}, out = {.maximum = 1 << 20};
	struct pf_profile *p;
	Oracle__Profile *o;
	(void)state;

	sample_profile(&in, 0x10000, 1);
	assert_int_equal(pf_profile_parse(&p, "test", in.bytes, in.size, NULL, NULL), 0);
	assert_int_equal(pf_profile_encode(p, &out, NULL), 0);
	o = oracle__profile__unpack(NULL, out.size, out.bytes);
	assert_non_null(o);
	assert_int_equal(o->n_sample, 2);
	assert_int_equal(o->sample[1]->n_location_id, 3);
	assert_int_equal(o->sample[1]->location_id[0], 4);
	assert_int_equal(o->sample[0]->value[1], 20);
	assert_int_equal(o->n_mapping, 2);
	assert_int_equal(o->mapping[1]->memory_limit, 0x7f8000);
	assert_string_equal(o->string_table[o->mapping[0]->build_id], "AB12");
	assert_int_equal(o->location[3]->id, 4);
	assert_int_equal(o->location[3]->mapping_id, 2);
	assert_int_equal(o->time_nanos, 1700000000000000000);
	assert_string_equal(o->string_table[o->default_sample_type], "cpu");
	oracle__profile__free_unpacked(o, NULL);
	pf_profile_free(p);
	pf_buffer_release(&in);
	pf_buffer_release(&out);
}

static void
the_generated_codec_s_bytes_mean_the_same_to_us(void **state)
{
	Oracle__Profile o = ORACLE__PROFILE__INIT;
	Oracle__ValueType type = ORACLE__VALUE_TYPE__INIT, *types[] = {&type};
	Oracle__Function function = ORACLE__FUNCTION__INIT, *functions[] = {&function};
	Oracle__Line line = ORACLE__LINE__INIT, *lines[] = {&line};
	Oracle__Location location = ORACLE__LOCATION__INIT, *locations[] = {&location};
	Oracle__Label label = ORACLE__LABEL__INIT, *labels[] = {&label};
	Oracle__Sample sample = ORACLE__SAMPLE__INIT, *samples[] = {&sample};
	char *strings[] = {(char *)"", (char *)"trace_id", (char *)"f00d"};
	uint64_t ids[] = {1};
	int64_t values[] = {-7}, comments[] = {1, 2};
	uint8_t bytes[512];
	struct pf_profile *p;
	size_t size;
	(void)state;

	function.id = 1, function.name = 2, function.start_line = -3;
	line.function_id = 1, line.line = 77, line.column = 8;
	location.id = 1, location.n_line = 1, location.line = lines, location.is_folded = 1;
	label.key = 1, label.str = 2;
	sample.n_location_id = 1, sample.location_id = ids, sample.n_value = 1,
	sample.value = values;
	sample.n_label = 1, sample.label = labels;
	o.n_sample_type = 1, o.sample_type = types, o.n_function = 1, o.function = functions;
	o.n_location = 1, o.location = locations, o.n_sample = 1, o.sample = samples;
	o.n_string_table = 3, o.string_table = strings, o.n_comment = 2, o.comment = comments;
	size = oracle__profile__pack(&o, bytes);
	assert_true(size <= sizeof bytes);
	assert_int_equal(pf_profile_parse(&p, "oracle", bytes, size, NULL, NULL), 0);
	assert_int_equal(p->values[0], -7);
	assert_int_equal(p->lines[0].column, 8);
	assert_int_equal(p->functions[0].start_line, -3);
	assert_true(p->locations[0].folded);
	assert_string_equal(pf_profile_string(p, p->labels[0].string), "f00d");
	assert_int_equal(p->comment_count, 2);
	pf_profile_free(p);
}

static void
reading_what_was_written_gives_the_same_bytes_again(void **state)
{
	struct pf_buffer in = {.maximum = 1 << 20}, once = {.maximum = 1 << 20},
			 twice = {.maximum = 1 << 20};
	struct pf_profile *p;
	(void)state;

	sample_profile(&in, 0x10000, 1);
	assert_int_equal(pf_profile_parse(&p, "in", in.bytes, in.size, NULL, NULL), 0);
	assert_int_equal(pf_profile_encode(p, &once, NULL), 0);
	pf_profile_free(p);
	assert_int_equal(pf_profile_parse(&p, "once", once.bytes, once.size, NULL, NULL), 0);
	assert_int_equal(pf_profile_encode(p, &twice, NULL), 0);
	pf_profile_free(p);
	assert_int_equal(once.size, twice.size);
	assert_memory_equal(once.bytes, twice.bytes, once.size);
	pf_buffer_release(&in);
	pf_buffer_release(&once);
	pf_buffer_release(&twice);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(our_bytes_mean_the_same_to_the_generated_codec),
	    cmocka_unit_test(the_generated_codec_s_bytes_mean_the_same_to_us),
	    cmocka_unit_test(reading_what_was_written_gives_the_same_bytes_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
