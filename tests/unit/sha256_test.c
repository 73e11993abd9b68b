/* SHA-256 against the examples of FIPS 180-4 and lengths around the padding's edges. */
#include "support/unit.h"

#include "core/sha256.h"
#include "core/sha256_blocks.h"

static void
the_standards_examples_come_out(void **state)
{
	char hex[PF_SHA256_HEX];
	(void)state;

	pf_sha256_hex(hex, "", 0);
	assert_string_equal(
	    hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	pf_sha256_hex(hex, "abc", 3);
	assert_string_equal(
	    hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	pf_sha256_hex(hex, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56);
	assert_string_equal(
	    hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void
a_million_bytes_come_out(void **state)
{
	char hex[PF_SHA256_HEX];
	char *bytes = malloc(1000000);
	(void)state;

	assert_non_null(bytes);
	memset(bytes, 'a', 1000000);
	pf_sha256_hex(hex, bytes, 1000000);
	assert_string_equal(
	    hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(bytes);
}

/* Digests of n times 'x', made with another implementation. */
static void
lengths_around_a_block_are_padded_right(void **state)
{
	static const struct {
		size_t size;
		const char *hex;
	} cases[] = {
	    {55, "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072"},
	    {56, "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e"},
	    {57, "ae14a2563ccf969d99aca69ce6bb74981f734bbf9f655f73b8f06db68cab5217"},
	    {63, "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2"},
	    {64, "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c"},
	    {65, "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9"},
	    {119, "000b48d4edf0fa7bee3c6236ecd2785baa5db4eeb8bb54341b029e0d9fa5fb0c"},
	    {120, "13f05a0b594787f5ecd315edc96141bd3243203d1b7d4f0836f37308b276ba98"},
	    {128, "24da1b81d0b16df6428eee73c69fcb2a93c76bc6df706f0c6670fe6bfe800464"},
	};
	char bytes[128], hex[PF_SHA256_HEX];
	(void)state;

	memset(bytes, 'x', sizeof bytes);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		pf_sha256_hex(hex, bytes, cases[i].size);
		assert_string_equal(hex, cases[i].hex);
	}
}

static void
the_processors_instructions_agree_with_plain_c(void **state)
{
	pf_sha256_compress *fast = pf_sha256_x86();
	uint8_t blocks[7 * PF_SHA256_BLOCK];
	uint32_t one[8], other[8];
	(void)state;

	if (!fast)
		skip();
	for (unsigned round = 0; round < 100; round++) {
		for (size_t i = 0; i < sizeof blocks; i++)
			blocks[i] = (uint8_t)(i * i * 31 + round * 17 + (i >> 3));
		for (size_t i = 0; i < 8; i++)
			one[i] = other[i] = (uint32_t)(0x9e3779b9u * (round + i));
		fast(one, blocks, round % 8);
		pf_sha256_portable(other, blocks, round % 8);
		assert_memory_equal(one, other, sizeof one);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_standards_examples_come_out),
	    cmocka_unit_test(a_million_bytes_come_out),
	    cmocka_unit_test(the_processors_instructions_agree_with_plain_c),
	    cmocka_unit_test(lengths_around_a_block_are_padded_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
