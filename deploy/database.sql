-- What the database container of compose.yaml executes once, when its volume is empty: the parts sign
-- in as a role that owns one database and may do nothing else on the server. It must be readable for
-- all on the host (chmod 644).
\set ON_ERROR_STOP on
\getenv password POSTGRES_PASSWORD
CREATE ROLE scores LOGIN PASSWORD :'password';
CREATE DATABASE scores OWNER scores ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE scores, postgres, template1 FROM PUBLIC;
-- No password opens the superuser's account: it is reached only inside the container.
ALTER ROLE CURRENT_USER PASSWORD NULL;
