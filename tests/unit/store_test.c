/* The store: what goes in comes out, once, whatever happens to the files in between. */
#include "support/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/entry.h"
#include "store/layout.h"
#include "support/stored.h"
#include "support/temporary.h"

static struct pf_store *store;
static struct pf_error err;
static char folder[64], said[4096];

static void
on_warning(void *data, const char *sentence)
{
	(void)data;
	snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", sentence);
}

static void
open_store(void)
{
	struct pf_store_options options = PF_STORE_OPTIONS_INIT;

	options.warn = on_warning;
	options.lock_patience = 0.01;
	must(pf_store_create(&store, folder, &options, &err));
}

static void
reopen(void)
{
	pf_store_close(store);
	open_store();
}

static int
set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "%s", temporary_make());
	said[0] = '\0';
	open_store();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	pf_store_close(store);
	store = NULL;
	temporary_remove(folder);
	return 0;
}

/* Adds one, and gives its id in hexadecimal, good until the next call. */
static const char *
add(struct stored s)
{
	static char hex[65];
	struct pf_store_entry entry;

	must(stored_append(store, &s, &entry, NULL, &err));
	pf_store_hex(hex, entry.id);
	return hex;
}

/* What fits, as "instance type start-in-seconds-after-NOON" joined by commas. */
static const char *
listed_in(struct pf_store *const *stores, size_t count, struct pf_store_filter filter)
{
	static char list[1024];
	struct pf_selection *selection;
	size_t length = 0;

	must(pf_store_select(&selection, stores, count, &filter, &err));
	list[0] = '\0';
	for (size_t i = 0; i < pf_selection_count(selection); i++) {
		struct pf_store_entry e;
		must(pf_selection_entry(selection, i, &e, &err));
		length += (size_t)snprintf(list + length, sizeof list - length, "%s%s %s %lld",
		    i ? ", " : "", pf_store_label(&e, "instance"), e.type,
		    (long long)((e.start_nanos - NOON) / SECOND));
	}
	pf_selection_free(selection);
	return list;
}

static const char *
listed(struct pf_store_filter filter)
{
	return listed_in(&store, 1, filter);
}

static struct pf_store_filter
everything(void)
{
	return (struct pf_store_filter)PF_STORE_FILTER_INIT;
}

/* The content of the first that is listed must be this. */
static void
assert_content(const char *expected)
{
	struct pf_store_filter filter = PF_STORE_FILTER_INIT;
	struct pf_selection *selection;
	const void *bytes;
	size_t size;

	must(pf_store_select(&selection, &store, 1, &filter, &err));
	assert_in_range(pf_selection_count(selection), 1, 1000);
	must(pf_selection_bytes(selection, 0, &bytes, &size, &err));
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(bytes, expected, size);
	pf_selection_free(selection);
}

static void
assert_sound(void)
{
	struct pf_store_verified verified;

	must(pf_store_verify(store, false, on_warning, NULL, &verified, &err));
	if (verified.damaged)
		fail_msg("verify: %s", said);
}

/* The path of the only file in a folder of the store, for reading and spoiling. */
static const char *
only_file(const char *below)
{
	static char path[512];
	struct dirent *entry;
	char inner[300] = "";
	DIR *d;
	int n = 0;

	snprintf(path, sizeof path, "%s/%s", folder, below);
	d = opendir(path);
	assert_non_null(d);
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		snprintf(inner, sizeof inner, "%s/%s", below, entry->d_name);
	}
	closedir(d);
	if (n == 1 && strncmp(inner, "seg/", 4) == 0 && strlen(inner) < 40)
		return only_file(inner);
	assert_int_equal(n, 1);
	snprintf(path, sizeof path, "%s/%s", folder, inner);
	return path;
}

static void
what_is_committed_is_there_after_reopening(void **state)
{
	(void)state;
	add((struct stored){.instance = "a:1", .start = NOON});
	add((struct stored){.instance = "b:1", .start = NOON + SECOND});
	must(pf_store_commit(store, &err));
	assert_string_equal(listed(everything()), "a:1 cpu 0, b:1 cpu 1");
	reopen();
	assert_string_equal(listed(everything()), "a:1 cpu 0, b:1 cpu 1");
	assert_content("api a:1 cpu b1 1700000000000000000 0 ");
	assert_string_equal(said, "");
	assert_sound();
}

static void
what_was_not_committed_is_gone_after_reopening(void **state)
{
	(void)state;
	add((struct stored){.instance = "a:1"});
	must(pf_store_commit(store, &err));
	add((struct stored){.instance = "b:1"});
	assert_string_equal(listed(everything()), "a:1 cpu 0");
	reopen();
	assert_string_equal(listed(everything()), "a:1 cpu 0");
	assert_sound();
}

static void
the_same_bytes_are_stored_once(void **state)
{
	struct pf_store_entry entry;
	bool known = true;
	(void)state;

	must(stored_append(store, &(struct stored){.bytes = "x"}, &entry, &known, &err));
	assert_false(known);
	must(pf_store_commit(store, &err));
	must(stored_append(store, &(struct stored){.bytes = "x"}, &entry, &known, &err));
	assert_true(known);
	must(pf_store_seal(store, &err));
	must(stored_append(store, &(struct stored){.bytes = "x"}, &entry, &known, &err));
	assert_true(known);
}

static void
sealed_profiles_are_read_like_others(void **state)
{
	struct pf_store_filter filter = PF_STORE_FILTER_INIT;
	struct pf_selection *selection;
	const void *bytes;
	size_t size;
	(void)state;

	add((struct stored){.instance = "a:1"});
	must(pf_store_commit(store, &err));
	must(pf_store_select(&selection, &store, 1, &filter, &err));
	must(pf_store_seal(store, &err));
	/* a selection made before follows it there */
	must(pf_selection_bytes(selection, 0, &bytes, &size, &err));
	pf_selection_free(selection);
	assert_content("api a:1 cpu b1 1700000000000000000 0 ");
	assert_non_null(strstr(only_file("seg"), "/seg/2023111422/"));
	reopen();
	assert_content("api a:1 cpu b1 1700000000000000000 0 ");
	assert_sound();
}

static void
the_same_profiles_make_the_same_segment(void **state)
{
	char first[512];
	(void)state;

	add((struct stored){.instance = "a:1"});
	add((struct stored){.instance = "b:1"});
	must(pf_store_seal(store, &err));
	snprintf(first, sizeof first, "%s", strstr(only_file("seg"), "/seg/"));
	tear_down(NULL);
	set_up(NULL);
	add((struct stored){.instance = "b:1"});
	add((struct stored){.instance = "a:1"});
	must(pf_store_seal(store, &err));
	assert_string_equal(strstr(only_file("seg"), "/seg/"), first);
}

static void
filters_select_by_every_key(void **state)
{
	static const char *const b1[] = {"B"}, *const api[] = {"api"}, *const heap[] = {"heap"},
				 *const v2[] = {"2"}, *const two[] = {"b:1", "c:1"},
				 *const slow[] = {"slow"}, *const job[] = {"job=db"},
				 *const none[] = {"pool=x"};
	struct pf_store_filter f = everything();
	(void)state;

	add((struct stored){.instance = "a:1"});
	add((struct stored){.instance = "b:1", .type = "heap", .start = NOON + 10 * SECOND});
	add((struct stored){
	    .instance = "c:1", .service = "db", .version = "2", .start = NOON + 20 * SECOND});
	add((struct stored){
	    .instance = "d:1", .build_id = "c2", .trigger = "slow", .start = NOON + 30 * SECOND});
	must(pf_store_commit(store, &err));

	f.services = (struct pf_store_any){api, 1};
	assert_string_equal(listed(f), "a:1 cpu 0, b:1 heap 10, d:1 cpu 30");
	f.types = (struct pf_store_any){heap, 1};
	assert_string_equal(listed(f), "b:1 heap 10");
	f = everything();
	f.instances = (struct pf_store_any){two, 2};
	assert_string_equal(listed(f), "b:1 heap 10, c:1 cpu 20");
	f = everything();
	f.versions = (struct pf_store_any){v2, 1};
	assert_string_equal(listed(f), "c:1 cpu 20");
	f = everything();
	f.build_ids = (struct pf_store_any){b1, 1};
	assert_string_equal(listed(f), "a:1 cpu 0, b:1 heap 10, c:1 cpu 20");
	f = everything();
	f.triggers = (struct pf_store_any){slow, 1};
	assert_string_equal(listed(f), "d:1 cpu 30");
	f = everything();
	f.triggered = true;
	assert_string_equal(listed(f), "d:1 cpu 30");
	f = everything();
	f.labels = (struct pf_store_any){job, 1};
	assert_string_equal(listed(f), "c:1 cpu 20");
	f.labels = (struct pf_store_any){none, 1};
	assert_string_equal(listed(f), "");
	f.labels_of_samples = true;
	f.since_nanos = NOON + 10 * SECOND;
	f.until_nanos = NOON + 30 * SECOND;
	assert_string_equal(listed(f), "b:1 heap 10, c:1 cpu 20");
	f = everything();
	f.latest = true;
	assert_string_equal(listed(f), "a:1 cpu 0, b:1 heap 10, c:1 cpu 20, d:1 cpu 30");
}

static void
the_latest_of_each_instance_and_type(void **state)
{
	struct pf_store_filter f = everything();
	(void)state;

	for (int i = 0; i < 3; i++) {
		add((struct stored){.instance = "a:1", .start = NOON + i * SECOND});
		add((struct stored){.instance = "b:1", .start = NOON + i * SECOND});
	}
	must(pf_store_commit(store, &err));
	f.latest = true;
	assert_string_equal(listed(f), "a:1 cpu 2, b:1 cpu 2");
}

static void
ids_are_found_by_their_beginning(void **state)
{
	char hex[65], *ids[1] = {hex};
	struct pf_store_filter f = everything();
	(void)state;

	add((struct stored){.instance = "b:1"});
	snprintf(hex, sizeof hex, "%s", add((struct stored){.instance = "a:1"}));
	must(pf_store_commit(store, &err));
	f.ids = (struct pf_store_any){(const char *const *)ids, 1};
	assert_string_equal(listed(f), "a:1 cpu 0");
	hex[7] = '\0';
	assert_string_equal(listed(f), "a:1 cpu 0");
	hex[3] = '\0';
	assert_int_equal(
	    pf_store_select(&(struct pf_selection *){NULL}, &store, 1, &f, &err), PF_EUSAGE);
}

static void
windows_measured_twice_count_once(void **state)
{
	struct pf_store_filter f = PF_STORE_FILTER_INIT;
	struct pf_selection *selection;
	(void)state;

	/* one start, two answers: a retry */
	add((struct stored){.bytes = "x", .duration = 30 * SECOND});
	add((struct stored){.bytes = "y", .duration = 30 * SECOND});
	/* overlapping, by another collector; then one that follows by a hair too early */
	add((struct stored){.start = NOON + 20 * SECOND, .duration = 30 * SECOND});
	add((struct stored){.start = NOON + 30 * SECOND - SECOND / 10, .duration = 30 * SECOND});
	/* the same times elsewhere are other windows */
	add((struct stored){.instance = "b:1", .start = NOON + SECOND, .duration = 30 * SECOND});
	must(pf_store_commit(store, &err));
	must(pf_store_select(&selection, &store, 1, &f, &err));
	assert_int_equal(pf_selection_count(selection), 3);
	assert_int_equal(pf_selection_same(selection), 1);
	assert_int_equal(pf_selection_overlapping(selection), 1);
	pf_selection_free(selection);
	assert_string_equal(listed(f), "a:1 cpu 0, b:1 cpu 1, a:1 cpu 29");
	f.keep_duplicates = true;
	must(pf_store_select(&selection, &store, 1, &f, &err));
	assert_int_equal(pf_selection_count(selection), 5);
	pf_selection_free(selection);
}

static void
stores_are_read_together_without_counting_twice(void **state)
{
	struct pf_store *stores[2];
	char other[64];
	(void)state;

	add((struct stored){.instance = "a:1", .bytes = "x", .duration = 30 * SECOND});
	add((struct stored){.instance = "b:1", .start = NOON + SECOND, .duration = 30 * SECOND});
	must(pf_store_commit(store, &err));
	stores[0] = store;
	snprintf(other, sizeof other, "%s", folder);
	snprintf(folder, sizeof folder, "%s", temporary_make());
	open_store();
	add((struct stored){.instance = "a:1", .bytes = "x", .duration = 30 * SECOND});
	add((struct stored){
	    .instance = "b:1", .start = NOON + 10 * SECOND, .duration = 30 * SECOND});
	add((struct stored){.instance = "c:1", .start = NOON + 20 * SECOND});
	must(pf_store_commit(store, &err));
	stores[1] = store;
	assert_string_equal(listed_in(stores, 2, everything()), "a:1 cpu 0, b:1 cpu 1, c:1 cpu 20");
	pf_store_close(stores[0]);
	temporary_remove(other);
}

static void
a_second_writer_is_told_who_is_there(void **state)
{
	struct pf_store_options options = {.struct_size = sizeof options, .lock_patience = 0.01};
	struct pf_store *second;
	char pid[32];
	(void)state;

	assert_int_equal(pf_store_create(&second, folder, &options, &err), PF_EIO);
	snprintf(pid, sizeof pid, "process %ld", (long)getpid());
	assert_message_has(err, pid);
	assert_message_has(err, "is in use");
	assert_null(second);
}

static void
readers_work_beside_a_writer(void **state)
{
	struct pf_store *reader;
	(void)state;

	add((struct stored){.instance = "a:1"});
	must(pf_store_commit(store, &err));
	must(pf_store_open(&reader, folder, NULL, &err));
	assert_string_equal(listed_in(&reader, 1, everything()), "a:1 cpu 0");
	add((struct stored){.instance = "b:1"});
	must(pf_store_seal(store, &err));
	assert_string_equal(listed_in(&reader, 1, everything()), "a:1 cpu 0, b:1 cpu 0");
	assert_int_equal(pf_store_commit(reader, &err), PF_EUSAGE);
	pf_store_close(reader);
}

static void
a_folder_that_is_no_store_is_refused(void **state)
{
	struct pf_store *other;
	char path[600];
	int fd;
	(void)state;

	snprintf(path, sizeof path, "%s/seg", folder);
	assert_int_equal(pf_store_open(&other, path, NULL, &err), PF_EINPUT);
	assert_message_has(err, "is no profile store");
	snprintf(path, sizeof path, "%s/nowhere", folder);
	assert_int_equal(pf_store_open(&other, path, NULL, &err), PF_EIO);
	assert_message_has(err, "there is no store");
	snprintf(path, sizeof path, "%s/seg/file", folder);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	snprintf(path, sizeof path, "%s/seg", folder);
	assert_int_equal(pf_store_create(&other, path, NULL, &err), PF_EINPUT);
	assert_message_has(err, "not empty");
	snprintf(path, sizeof path, "%s/format", folder);
	fd = open(path, O_TRUNC | O_WRONLY);
	assert_int_equal(write(fd, "profuse-store 2\n", 16), 16);
	close(fd);
	assert_int_equal(pf_store_open(&other, folder, NULL, &err), PF_EINPUT);
	assert_message_has(err, "another version");
}

static void
a_torn_end_of_the_journal_is_cut(void **state)
{
	char path[512];
	struct stat st;
	(void)state;

	add((struct stored){.instance = "a:1"});
	must(pf_store_commit(store, &err));
	snprintf(path, sizeof path, "%s", only_file("journal"));
	add((struct stored){.instance = "b:1"});
	must(pf_store_commit(store, &err));
	pf_store_close(store);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 1), 0);
	open_store();
	assert_string_equal(listed(everything()), "a:1 cpu 0");
	assert_non_null(strstr(said, "were cut off"));
	add((struct stored){.instance = "b:1"});
	must(pf_store_commit(store, &err));
	assert_string_equal(listed(everything()), "a:1 cpu 0, b:1 cpu 0");
	assert_sound();
}

static void
flip(const char *path, off_t offset)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

static void
remove_catalog(void)
{
	static const char *const names[] = {"catalog.db", "catalog.db-wal", "catalog.db-shm"};
	char path[128];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
}

static void
damage_inside_a_journal_costs_one_profile(void **state)
{
	char path[512];
	(void)state;

	add((struct stored){.instance = "a:1"});
	add((struct stored){.instance = "b:1", .start = NOON + SECOND});
	add((struct stored){.instance = "c:1", .start = NOON + 2 * SECOND});
	must(pf_store_commit(store, &err));
	snprintf(path, sizeof path, "%s", only_file("journal"));
	pf_store_close(store);
	flip(path, 8 + 40);
	remove_catalog();
	open_store();
	assert_string_equal(listed(everything()), "b:1 cpu 1, c:1 cpu 2");
	assert_non_null(strstr(said, "between whole records are damaged"));
	must(pf_store_seal(store, &err));
	assert_string_equal(listed(everything()), "b:1 cpu 1, c:1 cpu 2");
	assert_non_null(strstr(only_file("journal"), ".damaged"));
}

static void
a_lost_or_broken_catalog_is_made_anew(void **state)
{
	char path[128];
	int fd;
	(void)state;

	add((struct stored){.instance = "a:1"});
	must(pf_store_seal(store, &err));
	add((struct stored){.instance = "b:1"});
	must(pf_store_commit(store, &err));
	pf_store_close(store);
	remove_catalog();
	open_store();
	assert_string_equal(listed(everything()), "a:1 cpu 0, b:1 cpu 0");
	assert_sound();
	pf_store_close(store);
	remove_catalog();
	snprintf(path, sizeof path, "%s/catalog.db", folder);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "this is no database at all, is it? no.", 38), 38);
	close(fd);
	open_store();
	assert_string_equal(listed(everything()), "a:1 cpu 0, b:1 cpu 0");
	assert_non_null(strstr(said, "made anew"));
	must(pf_store_rebuild(store, &err));
	assert_string_equal(listed(everything()), "a:1 cpu 0, b:1 cpu 0");
	assert_sound();
}

static void
every_flipped_byte_of_a_segment_is_found(void **state)
{
	struct pf_store_verified verified;
	char path[512];
	struct stat st;
	(void)state;

	add((struct stored){.instance = "a:1"});
	add((struct stored){.instance = "b:1"});
	must(pf_store_seal(store, &err));
	assert_sound();
	snprintf(path, sizeof path, "%s", only_file("seg"));
	assert_int_equal(stat(path, &st), 0);
	for (off_t at = 0; at < st.st_size; at++) {
		flip(path, at);
		must(pf_store_verify(store, false, NULL, NULL, &verified, &err));
		if (!verified.damaged)
			fail_msg("byte %lld of %lld", (long long)at, (long long)st.st_size);
		flip(path, at);
	}
	assert_sound();
	unlink(path);
	must(pf_store_verify(store, false, on_warning, NULL, &verified, &err));
	assert_int_equal(verified.damaged, 1);
	assert_non_null(strstr(said, "missing, with 2 profiles"));
}

static void
retention_goes_by_age_and_size_of_each_class(void **state)
{
	static const char *const heap[] = {"heap"};
	struct pf_store_rule rules[] = {
	    {.triggered = true}, {.types = {heap, 1}, .max_bytes = 2500}, {.max_age = 100}};
	struct pf_store_pruned pruned;
	char pinned[65];
	(void)state;

	add((struct stored){.instance = "a:1", .trigger = "slow"});
	snprintf(pinned, sizeof pinned, "%s", add((struct stored){.instance = "b:1"}));
	add((struct stored){.instance = "c:1"});
	add((struct stored){.instance = "d:1", .start = NOON + 50 * SECOND});
	for (int i = 0; i < 4; i++)
		add((struct stored){
		    .instance = "h:1", .type = "heap", .start = NOON + i * SECOND, .size = 1000});
	must(pf_store_commit(store, &err));
	must(pf_store_pin(store, pinned, true, &err));

	must(pf_store_prune(store, rules, 3, NOON + 120 * SECOND, true, true, &pruned, &err));
	assert_int_equal(pruned.profiles, 3);
	must(pf_store_prune(store, rules, 3, NOON + 120 * SECOND, true, false, &pruned, &err));
	assert_int_equal(pruned.profiles, 3);
	assert_int_equal(pruned.pinned, 1);
	assert_string_equal(
	    listed(everything()), "a:1 cpu 0, b:1 cpu 0, h:1 heap 2, h:1 heap 3, d:1 cpu 50");
	assert_sound();
	reopen();
	assert_string_equal(
	    listed(everything()), "a:1 cpu 0, b:1 cpu 0, h:1 heap 2, h:1 heap 3, d:1 cpu 50");
	must(pf_store_pin(store, pinned, false, &err));
	must(pf_store_prune(store, rules, 3, NOON + 1000 * SECOND, true, false, &pruned, &err));
	assert_string_equal(listed(everything()), "a:1 cpu 0, h:1 heap 2, h:1 heap 3");
}

static void
a_lazy_prune_rewrites_only_what_is_half_empty(void **state)
{
	struct pf_store_rule rule = {.max_age = 100};
	struct pf_store_pruned pruned;
	(void)state;

	for (int i = 0; i < 10; i++)
		add((struct stored){.instance = "a:1", .start = NOON + i * 10 * SECOND});
	must(pf_store_seal(store, &err));
	must(pf_store_prune(store, &rule, 1, NOON + 125 * SECOND, false, false, &pruned, &err));
	assert_int_equal(pruned.profiles, 0);
	must(pf_store_prune(store, &rule, 1, NOON + 165 * SECOND, false, false, &pruned, &err));
	assert_int_equal(pruned.profiles, 7);
	assert_string_equal(listed(everything()), "a:1 cpu 70, a:1 cpu 80, a:1 cpu 90");
	assert_sound();
}

static bool
is_in_file(const char *path, const char *text)
{
	char content[8192];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, content, sizeof content);

	close(fd);
	return n > 0 && memmem(content, (size_t)n, text, strlen(text));
}

static void
what_is_removed_is_not_on_the_disk_any_more(void **state)
{
	static const char *const instance[] = {"a:1"};
	struct pf_store_filter f = everything();
	struct pf_store_pruned pruned;
	(void)state;

	add((struct stored){.instance = "a:1", .bytes = "secret"});
	add((struct stored){.instance = "b:1"});
	must(pf_store_commit(store, &err));
	f.instances = (struct pf_store_any){instance, 1};
	must(pf_store_remove(store, &f, true, &pruned, &err));
	assert_int_equal(pruned.profiles, 1);
	assert_string_equal(listed(everything()), "a:1 cpu 0, b:1 cpu 0");
	must(pf_store_remove(store, &f, false, &pruned, &err));
	assert_int_equal(pruned.profiles, 1);
	assert_string_equal(listed(everything()), "b:1 cpu 0");
	assert_false(is_in_file(only_file("seg"), "secret"));
	f = everything();
	must(pf_store_remove(store, &f, false, &pruned, &err));
	assert_string_equal(listed(everything()), "");
	assert_sound();
}

static void
journals_are_sealed_when_large_or_of_another_hour(void **state)
{
	(void)state;
	assert_false(pf_store_wants_seal(store, NOON));
	add((struct stored){.instance = "a:1"});
	must(pf_store_commit(store, &err));
	assert_false(pf_store_wants_seal(store, NOON));
	assert_true(pf_store_wants_seal(store, NOON + HOUR));
	reopen();
	assert_true(pf_store_wants_seal(store, NOON + HOUR));
	must(pf_store_seal(store, &err));
	assert_false(pf_store_wants_seal(store, NOON + HOUR));
}

static void
a_reader_that_may_not_write_sees_the_same(void **state)
{
	struct pf_store *reader;
	char command[256];
	int status;
	pid_t child;
	(void)state;

	add((struct stored){.instance = "a:1"});
	must(pf_store_seal(store, &err));
	add((struct stored){.instance = "b:1"});
	must(pf_store_commit(store, &err));
	pf_store_close(store);
	snprintf(command, sizeof command, "chmod -R a+rX %s", folder);
	assert_int_equal(system(command), 0);
	remove_catalog();
	child = fork();
	if (child == 0) {
		if (geteuid() == 0 && seteuid(65534))
			_exit(9);
		if (pf_store_open(&reader, folder, NULL, &err))
			_exit(1);
		_exit(strcmp(listed_in(&reader, 1, everything()), "a:1 cpu 0, b:1 cpu 0") != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	open_store();
}

int
main(void)
{
#define store_test(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    store_test(what_is_committed_is_there_after_reopening),
	    store_test(what_was_not_committed_is_gone_after_reopening),
	    store_test(the_same_bytes_are_stored_once),
	    store_test(sealed_profiles_are_read_like_others),
	    store_test(the_same_profiles_make_the_same_segment),
	    store_test(filters_select_by_every_key),
	    store_test(the_latest_of_each_instance_and_type),
	    store_test(ids_are_found_by_their_beginning),
	    store_test(windows_measured_twice_count_once),
	    store_test(stores_are_read_together_without_counting_twice),
	    store_test(a_second_writer_is_told_who_is_there),
	    store_test(readers_work_beside_a_writer),
	    store_test(a_folder_that_is_no_store_is_refused),
	    store_test(a_torn_end_of_the_journal_is_cut),
	    store_test(damage_inside_a_journal_costs_one_profile),
	    store_test(a_lost_or_broken_catalog_is_made_anew),
	    store_test(every_flipped_byte_of_a_segment_is_found),
	    store_test(retention_goes_by_age_and_size_of_each_class),
	    store_test(a_lazy_prune_rewrites_only_what_is_half_empty),
	    store_test(what_is_removed_is_not_on_the_disk_any_more),
	    store_test(journals_are_sealed_when_large_or_of_another_hour),
	    store_test(a_reader_that_may_not_write_sees_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
