/* catalog.c: see catalog.h. */
#include "store/catalog.h"

#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "store/labels.h"

enum { CATALOG_VERSION = 2, BUSY_MS = 5000 };

/*
 * Who asks how much there is of a class, or which of it are the oldest, must not
 * walk over a million rows: `class` and `target.profiles` are kept by triggers, and
 * profile_class has each class in the order of collection.
 */
static const char schema[] =
    "CREATE TABLE file(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, indexed INTEGER NOT "
    "NULL);"
    "CREATE TABLE target(id INTEGER PRIMARY KEY, labels TEXT NOT NULL UNIQUE,"
    " service TEXT NOT NULL, instance TEXT NOT NULL, version TEXT NOT NULL,"
    " profiles INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE profile(id INTEGER PRIMARY KEY, sha BLOB NOT NULL UNIQUE,"
    " target INTEGER NOT NULL, type TEXT NOT NULL, build_id TEXT NOT NULL,"
    " trigger_name TEXT NOT NULL, reason TEXT NOT NULL, start INTEGER NOT NULL,"
    " duration INTEGER NOT NULL, collected INTEGER NOT NULL, size INTEGER NOT NULL,"
    " samples INTEGER NOT NULL, file INTEGER NOT NULL, offset INTEGER NOT NULL);"
    "CREATE INDEX profile_start ON profile(start);"
    "CREATE INDEX profile_file ON profile(file);"
    "CREATE INDEX profile_class ON profile(type, trigger_name <> '', collected);"
    "CREATE TABLE trace(profile INTEGER PRIMARY KEY, ids BLOB NOT NULL);"
    "CREATE TABLE class(type TEXT NOT NULL, triggered INTEGER NOT NULL, profiles INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, PRIMARY KEY(type, triggered)) WITHOUT ROWID;"
    "CREATE TRIGGER profile_added AFTER INSERT ON profile BEGIN"
    " INSERT OR IGNORE INTO class VALUES(new.type, new.trigger_name <> '', 0, 0);"
    " UPDATE class SET profiles = profiles + 1, bytes = bytes + new.size"
    " WHERE type = new.type AND triggered = (new.trigger_name <> '');"
    " UPDATE target SET profiles = profiles + 1 WHERE id = new.target;"
    "END;"
    "CREATE TRIGGER profile_removed AFTER DELETE ON profile BEGIN"
    " UPDATE class SET profiles = profiles - 1, bytes = bytes - old.size"
    " WHERE type = old.type AND triggered = (old.trigger_name <> '');"
    " UPDATE target SET profiles = profiles - 1 WHERE id = old.target;"
    "END;"
    "PRAGMA user_version = 2;";

static const char *const sql[PF_CATALOG_STATEMENTS] = {
    [PF_CATALOG_HAS] = "SELECT 1 FROM profile WHERE sha = ?1",
    [PF_CATALOG_FILE] = "SELECT id, indexed FROM file WHERE path = ?1",
    [PF_CATALOG_ADD_FILE] = "INSERT INTO file(path, indexed) VALUES(?1, 0)",
    [PF_CATALOG_SET_INDEXED] = "UPDATE file SET indexed = ?2 WHERE id = ?1",
    [PF_CATALOG_DROP_FILE] = "DELETE FROM file WHERE id = ?1",
    [PF_CATALOG_DROP_PROFILES] = "DELETE FROM profile WHERE file = ?1",
    [PF_CATALOG_DROP_TRACES] =
	"DELETE FROM trace WHERE profile IN (SELECT id FROM profile WHERE file = ?1)",
    [PF_CATALOG_TARGET] = "SELECT id FROM target WHERE labels = ?1",
    [PF_CATALOG_ADD_TARGET] =
	"INSERT INTO target(labels, service, instance, version) VALUES(?1, ?2, ?3, ?4)",
    [PF_CATALOG_ADD] =
	("INSERT OR IGNORE INTO profile(sha, target, type, build_id, trigger_name, reason,"
	 " start, duration, collected, size, samples, file, offset)"
	 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"),
    [PF_CATALOG_ADD_TRACES] = "INSERT OR IGNORE INTO trace(profile, ids) VALUES(?1, ?2)",
    [PF_CATALOG_MOVE] = "UPDATE profile SET file = ?2, offset = ?3 WHERE id = ?1",
    [PF_CATALOG_REMOVE] = "DELETE FROM profile WHERE id = ?1",
    [PF_CATALOG_REMOVE_TRACES] = "DELETE FROM trace WHERE profile = ?1",
    [PF_CATALOG_LOCATE] =
	"SELECT file.path, offset FROM profile JOIN file ON file.id = file WHERE sha = ?1",
};

int
pf_catalog_error(struct pf_catalog *c, const char *doing, struct pf_error *err)
{
	int code = c->db ? sqlite3_errcode(c->db) : SQLITE_NOMEM;

	if (code == SQLITE_NOMEM)
		return pf_error_nomem(err);
	return pf_error_set(err,
	    code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? PF_EINPUT : PF_EIO,
	    "the store's catalog: cannot %s: %s", doing, sqlite3_errmsg(c->db));
}

void
pf_catalog_close(struct pf_catalog *c)
{
	for (size_t i = 0; i < PF_CATALOG_STATEMENTS; i++)
		sqlite3_finalize(c->statements[i]);
	sqlite3_close(c->db);
	*c = (struct pf_catalog){0};
}

static int
execute(struct pf_catalog *c, const char *text, const char *doing, struct pf_error *err)
{
	return sqlite3_exec(c->db, text, NULL, NULL, NULL) ? pf_catalog_error(c, doing, err) : 0;
}

/* pf_has_trace(ids, hash): whether the ascending 8-byte numbers in `ids` hold this one. */
static void
has_trace(sqlite3_context *context, int count, sqlite3_value **values)
{
	const uint8_t *ids = sqlite3_value_blob(values[0]);
	size_t low = 0, high = (size_t)sqlite3_value_bytes(values[0]) / 8;
	uint64_t wanted = (uint64_t)sqlite3_value_int64(values[1]);

	(void)count;
	while (ids && low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t id;
		memcpy(&id, ids + 8 * middle, sizeof id);
		if (id == wanted) {
			sqlite3_result_int(context, 1);
			return;
		}
		if (id < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	sqlite3_result_int(context, 0);
}

static int
version(struct pf_catalog *c, int *number, struct pf_error *err)
{
	sqlite3_stmt *statement;
	bool row = false;
	int rc = pf_catalog_prepare(c, "PRAGMA user_version", &statement, err);

	if (!rc)
		rc = pf_catalog_step(c, statement, &row, err);
	*number = row ? sqlite3_column_int(statement, 0) : 0;
	sqlite3_finalize(statement);
	return rc;
}

static int
prepare_database(struct pf_catalog *c, enum pf_catalog_mode mode, struct pf_error *err)
{
	int number = 0, rc;

	sqlite3_busy_timeout(c->db, BUSY_MS);
	if (sqlite3_create_function(c->db, "pf_has_trace", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
		NULL, has_trace, NULL, NULL))
		return pf_catalog_error(c, "start", err);
	if (mode == PF_CATALOG_WRITE) {
		/* a crash of the machine may lose the last transactions: they are read again */
		rc = execute(
		    c, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", "open it", err);
		if (rc)
			return rc;
	}
	rc = version(c, &number, err);
	if (rc || number == CATALOG_VERSION)
		return rc;
	if (number != 0 || mode == PF_CATALOG_READ)
		return pf_error_set(err, PF_EINPUT, "the store's catalog has version %d, not %d",
		    number, CATALOG_VERSION);
	rc = pf_catalog_begin(c, err);
	return rc ? rc : pf_catalog_end(c, execute(c, schema, "make its tables", err), err);
}

int
pf_catalog_open(struct pf_catalog *c, const char *path, enum pf_catalog_mode mode, bool *stale,
    struct pf_error *err)
{
	int flags = SQLITE_OPEN_NOMUTEX, rc;

	flags |= mode == PF_CATALOG_READ ? SQLITE_OPEN_READONLY
					 : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	rc = sqlite3_open_v2(mode == PF_CATALOG_MEMORY ? ":memory:" : path, &c->db, flags, NULL)
		 ? pf_catalog_error(c, "open it", err)
		 : prepare_database(c, mode, err);
	if (stale)
		*stale = rc == PF_EINPUT;
	if (rc)
		pf_catalog_close(c);
	return rc;
}

/* The statement, ready to be bound; NULL with the error set. */
static sqlite3_stmt *
statement(struct pf_catalog *c, enum pf_catalog_statement which, struct pf_error *err)
{
	sqlite3_stmt **s = &c->statements[which];

	if (*s)
		sqlite3_reset(*s);
	else if (sqlite3_prepare_v3(c->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, s, NULL))
		pf_catalog_error(c, "prepare a query", err);
	return *s;
}

/* Runs a statement that gives no rows. */
static int
run(struct pf_catalog *c, sqlite3_stmt *s, struct pf_error *err)
{
	int rc = sqlite3_step(s) == SQLITE_DONE ? 0 : pf_catalog_error(c, "write", err);

	sqlite3_reset(s);
	return rc;
}

int
pf_catalog_step(struct pf_catalog *c, sqlite3_stmt *s, bool *row, struct pf_error *err)
{
	int state = sqlite3_step(s);

	*row = state == SQLITE_ROW;
	return *row || state == SQLITE_DONE ? 0 : pf_catalog_error(c, "read", err);
}

int
pf_catalog_prepare(struct pf_catalog *c, const char *text, sqlite3_stmt **s, struct pf_error *err)
{
	*s = NULL;
	return sqlite3_prepare_v2(c->db, text, -1, s, NULL)
		   ? pf_catalog_error(c, "prepare a query", err)
		   : 0;
}

int
pf_catalog_begin(struct pf_catalog *c, struct pf_error *err)
{
	return execute(c, "BEGIN IMMEDIATE", "begin", err);
}

int
pf_catalog_end(struct pf_catalog *c, int rc, struct pf_error *err)
{
	if (!rc)
		rc = execute(c, "COMMIT", "write", err);
	if (rc)
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

int
pf_catalog_file(
    struct pf_catalog *c, const char *path, int64_t *id, uint64_t *indexed, struct pf_error *err)
{
	sqlite3_stmt *s = statement(c, PF_CATALOG_FILE, err);
	bool row;
	int rc;

	*id = 0;
	*indexed = 0;
	if (!s)
		return err->code;
	sqlite3_bind_text(s, 1, path, -1, SQLITE_STATIC);
	rc = pf_catalog_step(c, s, &row, err);
	if (!rc && row) {
		*id = sqlite3_column_int64(s, 0);
		*indexed = (uint64_t)sqlite3_column_int64(s, 1);
	}
	sqlite3_reset(s);
	return rc;
}

int
pf_catalog_add_file(struct pf_catalog *c, const char *path, int64_t *id, struct pf_error *err)
{
	sqlite3_stmt *s = statement(c, PF_CATALOG_ADD_FILE, err);
	int rc;

	if (!s)
		return err->code;
	sqlite3_bind_text(s, 1, path, -1, SQLITE_STATIC);
	rc = run(c, s, err);
	*id = sqlite3_last_insert_rowid(c->db);
	return rc;
}

/* Runs a statement of one or more numbers. */
static int
run_numbers(struct pf_catalog *c, enum pf_catalog_statement which, int64_t one, int64_t two,
    int64_t three, struct pf_error *err)
{
	sqlite3_stmt *s = statement(c, which, err);

	if (!s)
		return err->code;
	sqlite3_bind_int64(s, 1, one);
	if (sqlite3_bind_parameter_count(s) > 1)
		sqlite3_bind_int64(s, 2, two);
	if (sqlite3_bind_parameter_count(s) > 2)
		sqlite3_bind_int64(s, 3, three);
	return run(c, s, err);
}

int
pf_catalog_set_indexed(struct pf_catalog *c, int64_t file, uint64_t indexed, struct pf_error *err)
{
	return run_numbers(c, PF_CATALOG_SET_INDEXED, file, (int64_t)indexed, 0, err);
}

int
pf_catalog_drop_file(struct pf_catalog *c, int64_t file, struct pf_error *err)
{
	int rc = run_numbers(c, PF_CATALOG_DROP_TRACES, file, 0, 0, err);

	if (!rc)
		rc = run_numbers(c, PF_CATALOG_DROP_PROFILES, file, 0, 0, err);
	return rc ? rc : run_numbers(c, PF_CATALOG_DROP_FILE, file, 0, 0, err);
}

int
pf_catalog_move(
    struct pf_catalog *c, int64_t profile, int64_t file, uint64_t offset, struct pf_error *err)
{
	return run_numbers(c, PF_CATALOG_MOVE, profile, file, (int64_t)offset, err);
}

int
pf_catalog_remove(struct pf_catalog *c, int64_t profile, struct pf_error *err)
{
	int rc = run_numbers(c, PF_CATALOG_REMOVE_TRACES, profile, 0, 0, err);

	return rc ? rc : run_numbers(c, PF_CATALOG_REMOVE, profile, 0, 0, err);
}

int
pf_catalog_has(
    struct pf_catalog *c, const uint8_t id[PF_STORE_ID_SIZE], bool *known, struct pf_error *err)
{
	sqlite3_stmt *s = statement(c, PF_CATALOG_HAS, err);
	int rc;

	*known = false;
	if (!s)
		return err->code;
	sqlite3_bind_blob(s, 1, id, PF_STORE_ID_SIZE, SQLITE_STATIC);
	rc = pf_catalog_step(c, s, known, err);
	sqlite3_reset(s);
	return rc;
}

int
pf_catalog_locate(struct pf_catalog *c, const uint8_t id[PF_STORE_ID_SIZE], char **path,
    uint64_t *offset, struct pf_error *err)
{
	sqlite3_stmt *s = statement(c, PF_CATALOG_LOCATE, err);
	bool row = false;
	int rc;

	*path = NULL;
	if (!s)
		return err->code;
	sqlite3_bind_blob(s, 1, id, PF_STORE_ID_SIZE, SQLITE_STATIC);
	rc = pf_catalog_step(c, s, &row, err);
	if (!rc && row) {
		*offset = (uint64_t)sqlite3_column_int64(s, 1);
		rc = pf_copy_string(path, pf_catalog_text(s, 0), err);
	}
	sqlite3_reset(s);
	return rc;
}

static int
add_target(struct pf_catalog *c, const char *labels, const struct pf_store_entry *entry,
    int64_t *id, struct pf_error *err)
{
	sqlite3_stmt *s = statement(c, PF_CATALOG_ADD_TARGET, err);
	int rc;

	if (!s)
		return err->code;
	sqlite3_bind_text(s, 1, labels, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, pf_store_service(entry), -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 3, pf_store_label(entry, "instance"), -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 4, pf_store_label(entry, "version"), -1, SQLITE_STATIC);
	rc = run(c, s, err);
	*id = sqlite3_last_insert_rowid(c->db);
	return rc;
}

/* The row of an entry's labels, made if it is new. */
static int
target_of(
    struct pf_catalog *c, const struct pf_store_entry *entry, int64_t *id, struct pf_error *err)
{
	sqlite3_stmt *s = statement(c, PF_CATALOG_TARGET, err);
	struct pf_buffer labels;
	bool row = false;
	int rc;

	if (!s)
		return err->code;
	pf_buffer_init(&labels, PF_BUFFER_NO_MAXIMUM);
	pf_labels_write(&labels, entry);
	rc = pf_buffer_check(&labels, err);
	if (!rc) {
		sqlite3_bind_text(s, 1, (const char *)labels.bytes, -1, SQLITE_STATIC);
		rc = pf_catalog_step(c, s, &row, err);
		*id = row ? sqlite3_column_int64(s, 0) : 0;
		sqlite3_reset(s);
	}
	if (!rc && !row)
		rc = add_target(c, (const char *)labels.bytes, entry, id, err);
	pf_buffer_release(&labels);
	return rc;
}

static int
add_traces(
    struct pf_catalog *c, int64_t profile, const struct pf_store_entry *entry, struct pf_error *err)
{
	sqlite3_stmt *s = statement(c, PF_CATALOG_ADD_TRACES, err);

	if (!s)
		return err->code;
	sqlite3_bind_int64(s, 1, profile);
	sqlite3_bind_blob(s, 2, entry->traces, (int)(8 * entry->trace_count), SQLITE_STATIC);
	return run(c, s, err);
}

int
pf_catalog_add(struct pf_catalog *c, int64_t file, uint64_t offset,
    const struct pf_store_entry *entry, struct pf_error *err)
{
	sqlite3_stmt *s = statement(c, PF_CATALOG_ADD, err);
	int64_t target = 0;
	int rc = s ? target_of(c, entry, &target, err) : err->code;

	if (rc)
		return rc;
	sqlite3_bind_blob(s, 1, entry->id, PF_STORE_ID_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, target);
	sqlite3_bind_text(s, 3, entry->type, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 4, entry->build_id, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 5, entry->trigger, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 6, entry->reason, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 7, entry->start_nanos);
	sqlite3_bind_int64(s, 8, entry->duration_nanos);
	sqlite3_bind_int64(s, 9, entry->collected_nanos);
	sqlite3_bind_int64(s, 10, (int64_t)entry->size);
	sqlite3_bind_int64(s, 11, (int64_t)entry->sample_count);
	sqlite3_bind_int64(s, 12, file);
	sqlite3_bind_int64(s, 13, (int64_t)offset);
	rc = run(c, s, err);
	if (!rc && sqlite3_changes(c->db) && entry->trace_count)
		rc = add_traces(c, sqlite3_last_insert_rowid(c->db), entry, err);
	return rc;
}
