import TollkeyCore

/// What the server performs as a whole.
///
/// Numbers in Lua are doubles: exact up to 2^53, and microseconds since 1970 stay below that until the year 2255.
extension RedisLedger {
    /// Keeps a process known, and tells it which memory the server has: a new one begins when the server has none, or
    /// is another process than the one that has begun it, which may have forgotten some.
    ///
    /// KEYS: epoch, replicas. ARGV: the time or nothing, who we are, a number for a new epoch, µs that a new one lasts
    /// without grants, µs that a process is known. Gives: the epoch, µs left without grants, processes.
    static let beating = RedisScript(
        clock + """
            local me, candidate, grace, known = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
            local server = redis.pcall('INFO', 'server')
            local run = type(server) == 'string' and string.match(server, 'run_id:(%w+)') or ''
            local kept = redis.call('HMGET', KEYS[1], 'id', 'began', 'run')
            local id, began = kept[1], tonumber(kept[2] or 0)
            if not id or kept[3] ~= run then
              id, began = candidate, now
              redis.call('HSET', KEYS[1], 'id', id, 'began', whole(now), 'run', run)
            end
            redis.call('ZADD', KEYS[2], whole(now), me)
            redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(now - known))
            redis.call('ZREMRANGEBYSCORE', KEYS[2], whole(now + known), '+inf')
            redis.call('PEXPIRE', KEYS[2], whole(known / 500))
            -- Without it no record can be kept: that is everybody's trouble, not one record's.
            cmsgpack.pack(0)
            local left = 0
            if began <= now and now < began + grace then left = began + grace - now end
            return {id, left, redis.call('ZCARD', KEYS[2])}
            """)

    /// One contact: `CategoryRecord.answer`, step by step, and what a server needs that may forget.
    ///
    /// KEYS: epoch, record. ARGV: the time or nothing, `ask` or `tell`, the epoch that the process has told all it knew,
    /// µs that a new epoch lasts without grants, holder, turn, pause, the contact's era; then of each limit: window,
    /// count, used, acknowledged, age, left, wanted, life, total. Gives: 1, pause, and of each limit: held, total,
    /// holders, nextIn. Or 0 alone: it is another epoch, or too young to be asked.
    ///
    /// A record: {format, pauseEnd, epoch, limits}; a limit: {window, now, newestBegan, assumed, uses, leases}; uses:
    /// time and count by turns; a lease: {holder, held, end, used, turn, charged}. `assumed` is how much was spent before
    /// this epoch, as far as it has been counted: whoever knew of more has the difference counted as used now.
    static let contact = RedisScript(
        clock + """
            local telling, told, grace = ARGV[2] == 'tell', ARGV[3], tonumber(ARGV[4])
            local holder, turn, pause, era = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
            local kept = redis.call('HMGET', KEYS[1], 'id', 'began')
            local id, began = kept[1], tonumber(kept[2] or 0)
            if id ~= told then return {0} end
            if not telling and began <= now and now < began + grace then return {0} end

            local raw = redis.call('GET', KEYS[2])
            local record = raw and cmsgpack.unpack(raw)
            local isNew = not record
            if record and (type(record) ~= 'table' or record[1] ~= 1) then
              return redis.error_reply('ERR this is no record')
            end
            if isNew then record = {1, 0, id, {}} end
            local isOlder = record[3] ~= id
            record[3] = id

            local function advance(limit)
              local window, uses, leases = limit[1], limit[5], limit[6]
              if now > limit[2] then limit[2] = now end
              local t = limit[2]
              for _, lease in ipairs(leases) do
                if lease[2] > 0 and lease[3] <= t then
                  local last = uses[#uses - 1] or lease[3]
                  uses[#uses + 1] = math.max(lease[3], last)
                  uses[#uses + 1] = lease[2]
                  limit[3] = lease[3]
                  lease[6] = lease[6] + lease[2]
                  lease[2] = 0
                end
              end
              local first = 1
              while uses[first] and uses[first] + window <= t do first = first + 2 end
              if first > 1 then
                limit[5] = {}
                for i = first, #uses do limit[5][i - first + 1] = uses[i] end
              end
              for i = #leases, 1, -1 do
                if leases[i][2] == 0 and leases[i][3] + window <= t then table.remove(leases, i) end
              end
            end

            local function total(limit)
              local sum, uses = 0, limit[5]
              for i = 2, #uses, 2 do sum = sum + uses[i] end
              for _, lease in ipairs(limit[6]) do sum = sum + lease[2] end
              return sum
            end

            local function note(limit, count, time, most)
              local uses = limit[5]
              local size = #uses
              local grain = most > \(LimitRecord.usesMax) and math.floor(limit[1] / \(LimitRecord.usesMax)) or 0
              if size > 0 then
                time = math.max(time, uses[size - 1])
                if time == uses[size - 1] or time - limit[3] < grain or size / 2 >= \(2 * LimitRecord.usesMax) then
                  uses[size - 1] = time
                  uses[size] = uses[size] + count
                  return
                end
              end
              uses[size + 1], uses[size + 2] = time, count
              limit[3] = time
            end

            local function leaseOf(limit)
              for _, lease in ipairs(limit[6]) do
                if lease[1] == holder then return lease end
              end
            end

            -- Gives the lease, and how much of what the process had heard to be counted is counted by this.
            local function settle(limit, c)
              local lease = leaseOf(limit)
              if not lease then
                if #limit[6] >= \(LimitRecord.holdersMax) then
                  local oldest
                  for i, other in ipairs(limit[6]) do
                    if other[2] == 0 and (not oldest or other[3] < limit[6][oldest][3]) then oldest = i end
                  end
                  if not oldest then return nil, 0 end
                  table.remove(limit[6], oldest)
                end
                lease = {holder, 0, limit[2], c.acknowledged, -1, 0}
                limit[6][#limit[6] + 1] = lease
              end
              if lease[5] >= turn then return nil, 0 end
              lease[5] = turn
              local before = lease[2]
              local fresh = math.max(0, c.used - lease[4])
              local unheard = math.min(fresh, math.max(0, c.used - c.acknowledged))
              local unknown = fresh - math.min(fresh, lease[6])
              lease[4] = lease[4] + fresh
              lease[6] = 0
              lease[2] = math.min(lease[2], c.left)
              local heard = lease[2] - before + math.max(0, unknown - unheard)
              if unknown > 0 then
                note(limit, unknown, limit[2] - math.min(math.max(0, c.age), limit[1]), c.count)
              end
              if telling and c.left > 0 then
                lease[2] = c.left
                lease[3] = math.max(lease[3], limit[2] + c.life)
              end
              return lease, heard
            end

            local function hold(limit, c, count)
              if count > 0 then
                local lease = leaseOf(limit)
                if lease then
                  lease[2] = count
                  lease[3] = math.max(lease[3], limit[2] + math.max(0, c.life))
                end
              end
              local holders = 1
              for _, lease in ipairs(limit[6]) do
                if lease[2] > 0 and lease[1] ~= holder then holders = holders + 1 end
              end
              return holders, limit[5][1] and limit[5][1] + limit[1] - limit[2] or 0
            end

            local contacts, limits, taken = {}, {}, {}
            for a = 9, #ARGV, 9 do
              local c = {}
              for i, name in ipairs({'window', 'count', 'used', 'acknowledged', 'age', 'left', 'wanted', 'life',
                  'total'}) do
                c[name] = tonumber(ARGV[a + i - 1])
              end
              contacts[#contacts + 1] = c
              local found
              for i, limit in ipairs(record[4]) do
                if limit[1] == c.window and (not found or not taken[i]) then found = i end
                if found == i and not taken[i] then break end
              end
              local limit = found and record[4][found] or {c.window, 0, 0, 0, {}, {}}
              -- Two limits of one window keep two records.
              if found and taken[found] then limit = cmsgpack.unpack(cmsgpack.pack(limit)) end
              if found then taken[found] = true end
              limits[#limits + 1] = limit
            end
            -- Replicas whose configurations differ for a while do not make each other's records forgotten.
            for i, limit in ipairs(record[4]) do
              if not taken[i] and #limits < \(windowsMax) then
                advance(limit)
                if isOlder then limit[4] = total(limit) end
                if limit[5][1] or limit[6][1] then limits[#limits + 1] = limit end
              end
            end
            record[4] = limits

            if pause > 0 then record[2] = math.max(record[2], now + pause) end
            local count, kept = math.huge, {}
            for i, c in ipairs(contacts) do
              local limit = limits[i]
              advance(limit)
              if isOlder then limit[4] = total(limit) end
              local lease, heard = settle(limit, c)
              if isNew or era ~= id then
                limit[4] = limit[4] + heard
                if c.total > limit[4] then
                  note(limit, c.total - limit[4], limit[2], c.count)
                  limit[4] = c.total
                end
              end
              kept[i] = lease and lease[2] or 0
              local free = lease and math.max(kept[i], c.count - total(limit) + kept[i]) or 0
              count = math.min(count, free, c.wanted)
            end
            if telling then count = 0 end

            local reply, life = {1, math.max(0, record[2] - now)}, math.max(0, record[2] - now)
            for i, c in ipairs(contacts) do
              local held = math.max(kept[i], count)
              local holders, nextIn = hold(limits[i], c, held)
              reply[#reply + 1] = held
              reply[#reply + 1] = total(limits[i])
              reply[#reply + 1] = holders
              reply[#reply + 1] = nextIn
            end
            for _, limit in ipairs(limits) do
              for _, lease in ipairs(limit[6]) do life = math.max(life, lease[3] + limit[1] - limit[2]) end
              life = math.max(life, limit[1])
            end
            redis.call('SET', KEYS[2], cmsgpack.pack(record), 'PX', whole(life / 1000 + 1000))
            return reply
            """)

    /// Records of limits that no contact names any more are kept for their window, so many with those that are named.
    static let windowsMax = 16

    private static let clock = """
        local function whole(number) return string.format('%.0f', number) end
        local now = tonumber(ARGV[1])
        if not now then
          local time = redis.call('TIME')
          now = time[1] * 1000000 + time[2]
        end

        """
}
