-- The server that the figures are of; the report prints these. All ways build their indexes in the same memory.
ALTER SYSTEM SET shared_buffers = '1GB';
ALTER SYSTEM SET maintenance_work_mem = '512MB';
ALTER SYSTEM SET max_wal_size = '16GB';
ALTER SYSTEM SET checkpoint_timeout = '1h';
ALTER SYSTEM SET wal_level = replica;
ALTER SYSTEM SET autovacuum = off;
ALTER SYSTEM SET jit = off;
