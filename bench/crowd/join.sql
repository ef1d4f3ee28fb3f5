-- One join as one autocommit statement: pieces taken within the cap before the deadline, the pledge with its line,
-- the charge asked for and its job stored. Ids of the bench's market are numbers written as UUIDs (bench/market.py).
\set buyer random(1, :buyers)
\set campaign random(1, :campaigns)
WITH chosen AS MATERIALIZED (
  SELECT ('00000000-0000-7000-8001-' || lpad(to_hex(:campaign::int), 12, '0'))::uuid AS campaign_id,
         ('00000000-0000-7000-8002-' || lpad(to_hex(:campaign::int), 12, '0'))::uuid AS variant_id,
         ('00000000-0000-7000-8003-' || lpad(to_hex(:buyer::int), 12, '0'))::uuid AS buyer_id,
         gen_random_uuid() AS pledge_id, gen_random_uuid() AS transfer_id
), taken AS (
  UPDATE campaign SET pledged_quantity = pledged_quantity + 1 FROM chosen
  WHERE id = campaign_id AND state = 'open' AND deadline > clock_timestamp()
    AND (cap IS NULL OR pledged_quantity + 1 <= cap)
  RETURNING id, currency, pledged_quantity, variant_id, buyer_id, pledge_id, transfer_id
), priced AS (
  SELECT taken.*, (SELECT price_minor FROM price_tier WHERE campaign_id = taken.id
                   AND from_quantity <= greatest(taken.pledged_quantity, 1) ORDER BY from_quantity DESC LIMIT 1) AS price
  FROM taken
), pledged AS (
  INSERT INTO pledge (id, campaign_id, buyer_id, quantity, flexible_quantity, unit_price_minor, accepts_dearer,
    fallback_colour, joins_next_round, charged_minor, credit_minor, merchant_funded, state, delivered_quantity,
    released_quantity, region, idempotency_key, request_hash, placed_at)
  SELECT pledge_id, id, buyer_id, 1, 0, price, false, '', false, price, 0, false, 'unpaid', 0, 0, '',
    pledge_id::text, md5(pledge_id::text), clock_timestamp() FROM priced
), lined AS (
  INSERT INTO pledge_line (pledge_id, variant_id, quantity, flexible_quantity)
  SELECT pledge_id, variant_id, 1, 0 FROM priced
), charged AS (
  INSERT INTO transfer (id, direction, reference, purpose, subject_id, organisation_id, account_id, currency,
    amount_minor, state, created_at)
  SELECT transfer_id, 'charge', 'pledge:' || pledge_id, 'demand.pledge', pledge_id, buyer_id,
    (SELECT a.id FROM account a WHERE a.kind = 'escrow' AND a.owner_id = priced.id AND a.currency = priced.currency),
    currency, price, 'pending', clock_timestamp() FROM priced
)
INSERT INTO job (id, kind, key, ids, due_at, state, attempts, created_at)
SELECT gen_random_uuid(), 'ledger.carry_out', 'ledger.carry_out:' || transfer_id, jsonb_build_array(transfer_id),
  clock_timestamp(), 'ready', 0, clock_timestamp() FROM priced;
