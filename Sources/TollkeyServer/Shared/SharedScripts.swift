/// What Redis performs as a whole. All of it holds for one key's record, lock and fence at a time.
///
/// A record is a hash: `version`, `sealed` (empty: it was removed), and `fence`, the largest of the locks that it was
/// written under. A lock is `REPLICA:FENCE`. The epoch is a hash: which `server` the records are on, by its run's id,
/// and `since` when, in milliseconds of its own clock.
enum SharedScripts {
    /// `now`, and `age(epoch)`: the present server, and for how long nothing can have been lost there. A server that was
    /// restarted, or has taken over from another one, has another id; one that was emptied has no epoch.
    private static let clock = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local function begin(epoch, server)
            redis.call('HSET', epoch, 'server', server, 'since', string.format('%.0f', now))
        end
        local function server()
            local answer = redis.pcall('INFO', 'server')
            return type(answer) == 'string' and string.match(answer, 'run_id:(%w+)') or 'unknown'
        end
        local function age(epoch)
            local here = server()
            local known = redis.call('HMGET', epoch, 'server', 'since')
            if known[1] ~= here or now < tonumber(known[2] or '0') then
                begin(epoch, here)
                return here, 0
            end
            return here, now - tonumber(known[2])
        end

        """

    /// KEYS: epoch. Answers how many milliseconds it has lasted.
    static let look = RedisScript(
        clock + """
            local here, span = age(KEYS[1])
            return string.format('%.0f', span)
            """)

    /// KEYS: lock, fence, record, epoch. ARGV: replica, life in milliseconds. Answers the fence and the server; nothing
    /// while another replica has the lock. One of the replica's own is a dead process's: whoever asks holds the lock of
    /// its machine.
    ///
    /// Fences go on with the clock, so that they grow also when Redis has forgotten the last one.
    static let lock = RedisScript(
        clock + """
            local held = redis.call('GET', KEYS[1])
            local own = ARGV[1] .. ':'
            if held and string.sub(held, 1, #own) ~= own then return {} end
            local here = age(KEYS[4])
            local last = tonumber(redis.call('GET', KEYS[2]) or '0')
            local written = tonumber(redis.call('HGET', KEYS[3], 'fence') or '0')
            local fence = string.format('%.0f', math.max(last, written, now) + 1)
            redis.call('SET', KEYS[2], fence)
            redis.call('SET', KEYS[1], own .. fence, 'PX', ARGV[2])
            return {fence, here}
            """)

    /// KEYS: lock. ARGV: what it must be.
    static let unlock = RedisScript(
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """)

    /// KEYS: record, lock, epoch. ARGV: version, sealed, the version that it replaces (empty: any), fence (0: under no
    /// lock), and for a mark the lock as it must be, its server, and the grace in milliseconds.
    static let save = RedisScript(
        clock + """
            local found = redis.call('HMGET', KEYS[1], 'version', 'fence', 'sealed')
            local version, fence = found[1] or '0', tonumber(found[2] or '0')
            local isNothing = version == '0' or found[3] == ''
            if ARGV[4] ~= '0' and fence > tonumber(ARGV[4]) then return {'superseded'} end
            if ARGV[3] == '0' then
                if not isNothing then return {'superseded'} end
            elseif ARGV[3] ~= '' and ARGV[3] ~= version then
                return {'superseded'}
            end
            if tonumber(version) >= tonumber(ARGV[1]) then return {'later', version} end
            if ARGV[5] ~= '' then
                if redis.call('GET', KEYS[2]) ~= ARGV[5] then return {'unlocked'} end
                local here, span = age(KEYS[3])
                if here ~= ARGV[6] then return {'unlocked'} end
                local left = tonumber(ARGV[7]) - span
                if left > 0 then return {'unsettled', string.format('%.0f', left)} end
            end
            redis.call('HSET', KEYS[1], 'version', ARGV[1], 'sealed', ARGV[2],
                'fence', string.format('%.0f', math.max(fence, tonumber(ARGV[4]))))
            if ARGV[2] == '' then redis.call('PEXPIRE', KEYS[1], \(removedLife))
            else redis.call('PERSIST', KEYS[1]) end
            return {'saved'}
            """)

    /// KEYS: record, epoch. ARGV: version, sealed. Writes what Redis has lost, or never had; `replaced` when there is
    /// something as late. What was there and is not has been lost, whatever the server says of itself: others' copies
    /// may be later than this one.
    static let restore = RedisScript(
        clock + """
            local found = redis.call('HMGET', KEYS[1], 'version')
            if found[1] and tonumber(found[1]) >= tonumber(ARGV[1]) then return {'superseded'} end
            if not found[1] then begin(KEYS[2], server()) end
            redis.call('HSET', KEYS[1], 'version', ARGV[1], 'sealed', ARGV[2])
            redis.call('PERSIST', KEYS[1])
            return {'saved'}
            """)

    /// KEYS: record. ARGV: version, sealed. The same content, under another key.
    static let reseal = RedisScript(
        """
        local version = redis.call('HGET', KEYS[1], 'version')
        if version ~= ARGV[1] then return {'superseded'} end
        redis.call('HSET', KEYS[1], 'sealed', ARGV[2])
        return {'saved'}
        """)

    /// A removed record is remembered for a week, so that nobody's copy brings it back.
    private static let removedLife = 7 * 86_400_000
}
