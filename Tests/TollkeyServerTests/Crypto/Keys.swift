/// Keys that everybody knows.
enum Keys {
    /// The RSA key of RFC 7515, appendix A.2.1, as PKCS #8.
    static let rfc7515 = """
        -----BEGIN PRIVATE KEY-----
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh+BYK4uPJtGXO
        jS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSXxbbqY913EeZ8dCn5VrD7io8ImtxL
        aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNn
        juygxmj3AbONv/s4yDQs4v5tJ/reSlpIdJed1LnPmt7Ex1sFhSwsD174pcF1A5L5
        ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkf
        toaHLFcW9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHg
        VFbK5emhAgMBAAECggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyW
        PEAeP88vLNO97IjlA7/GQ5sLKMgvfTeXZx9SE+7YwVol2NXOoAJe46sui395IW/G
        O+pWJ1O0BkTGoVEn2bKVRUCgu+GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj
        kn439X0M/V51gfpRLI9JYanrC4D4qAdGcopV/0ZHHzQlBjudU2QvXt4ehNYTCBr6
        XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl/x/jTj3ccPDVZFD9pIuhLhBOneufuBiB
        4cS98l2SR/RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0K
        pLttoLhyt3SmqdEf/kgHePDdtzEafpAu+cS191R2JiuoF2yzWXnwFDcqGigp5BNr
        0AHQfD8/Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqE
        lMGAg+C2V0L4oNXnP7LZcPAZRwKBgQC5A8R+CZW2MvRTLLHzwZkUXV866cff7tx6
        kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7vMVgePsLq6XtON4tB5kP9jAP
        rq3rbAOal78eUH5OcED6eNuCV8ixEu1eWcPNCS/l1OW1EnXUEoEHKl54Xrrz2uNw
        kgMTP1FZ1wKBgAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7/Ls5bkUp
        5u9SN0Ai3Ya6hNnvWJMb7sXQX6U/zyO2M/hTip7tUeh7CXgwo59dkpN75gJLVds2
        9+DAncu3KXU4f2Fa+7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf/
        evpitUf+4JYbLpvNXWcY052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcG
        yoAe9fa65iNqCq+jdw6PVNGo2hxfjSiZ8IIzHdsPXI89//pMjZcQK9r+CCoRjaZj
        OYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2
        tOgrjbcrfvtQJipd+DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd/QJQ3
        ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp/gh6A56
        03k2+ZQwVK0JKSHuLFkuQ3U=
        -----END PRIVATE KEY-----
        """

    /// The same key.
    static let rfc7515AsPKCS1 = """
        -----BEGIN RSA PRIVATE KEY-----
        MIIEowIBAAKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd/wWJcyQoTbji9k0
        l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL+yRT+SFd2lZS+pC
        gNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb/7OMg0LOL+bSf63kpaSHSX
        ndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD
        Zlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxXFvUK+DWNmoudF8NAco9/h9iaGNj8
        q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQIDAQABAoIBABKucaRpzQorw35S
        bEUAVx8dYXUdZOlJcHtiWQ+dC6V8ljxAHj/PLyzTveyI5QO/xkObCyjIL303l2cf
        UhPu2MFaJdjVzqACXuOrLot/eSFvxjvqVidTtAZExqFRJ9mylUVAoLvhowVWmC1O
        n95fZCXxTUtxNEG1Xcc7m0rtzJKs45J+N/V9DP1edYH6USyPSWGp6wuA+KgHRnKK
        Vf9GRx80JQY7nVNkL17eHoTWEwga+lwi0FEoW9Y7lDtWXYmKBWhUE+U8PGxlJf8f
        40493HDw1WRQ/aSLoS4QTp3rn7gYgeHEvfJdkkf0UMhlknlo53M09EFPdadQ4TlU
        bjqKc50CgYEA4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH/5IB3jw3bcxGn6QLvnE
        tfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw/Py5PJdTJNPY8cQn7ouZ2KKDcmnPG
        BY5t7yLc1QlQ5xHdwW1VhvKn+nXqhJTBgIPgtldC+KDV5z+y2XDwGUcCgYEAuQPE
        fgmVtjL0Uyyx88GZFF1fOunH3+7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYs
        p1ZSe7zFYHj7C6ul7TjeLQeZD/YwD66t62wDmpe/HlB+TnBA+njbglfIsRLtXlnD
        zQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdcCgYAHAp9XcCSrn8wVkMVkKdb7
        DOX4IKjzdahm+ctDAJN4O/y7OW5FKebvUjdAIt2GuoTZ71iTG+7F0F+lP88jtjP4
        U4qe7VHoewl4MKOfXZKTe+YCS1XbNvfgwJ3Ltyl1OH9hWvu2yza7q+d5PCsDzqtm
        27kxuvULVeya+TEdAB1ijQKBgQCH/3r6YrVH/uCWGy6bzV1nGNOdjKc9tmkfOJmN
        54dxdixdpozCQ6U4OxZrsj3FcOhHBsqAHvX2uuYjagqvo3cOj1TRqNocX40omfCC
        Mx3bD1yPPf/6TI2XECva/ggqEY2mYzmIiA5LVVmc5nrybr+lssFKneeyxN2Wq93S
        0iJMdQKBgCGHewxzoa1r8ZMD0LETNrToK423K377UCYqXfg5XMclbrjPbEC3YI1Z
        NqMtuhdBJqUnBi6tjKMF+34Xf0CUN8ncuXGO2CAYvO8PdyCixHX52ybaDjy1FtCE
        6yUXjoKNXKvUm7MWGsAYH6f4IegOetN5NvmUMFStCSkh7ixZLkN1
        -----END RSA PRIVATE KEY-----
        """

    /// The same, with the password `pw`.
    static let withPassword = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIIFNTBfBgkqhkiG9w0BBQ0wUjAxBgkqhkiG9w0BBQwwJAQQRAHf1cNEEJdQ06ao
        fI9mJgICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEMFaiiNyzIeE783z
        890Gdu4EggTQS7jZF+up+lPBloMEAplnDS5w4/wlLVdFOyR6wDTSPI/oU++Qpzkc
        Bey0DhOvzRH5BXpOA3OSkP4o22u6stZTUO1HEDOAp0RYy7IcWzS8dwwVaerJDEjs
        mf+19OrEBCEadBI8YqZlFRIN/EVsZ9G1pbONBIs2eld2z1zQdGiz0A4R3woJDN89
        ATI6SgcZBZIjuvWAdbVKqLbTh31y3MlEnEZGYh/s1vKkuD/bcQQEIQJGp4GhIFDx
        ncZjNxE+CKwByqJ7z+XmHK0Fc7gEJyGCdfmck9EK/wcBWI3ulocqCv2ZHudNxMs4
        zxETMV61SA+yXy2oGqMjw/KvmlkZleGb8DzqTyfzgxPEarh/za0ZiacMxl24IrDu
        +mPB69lI/iSIgNuMu2v7v0Gu9I7d7jPapgtK71EOjqqbbSl79Dd3oVyVyX0WpDiR
        7EBfrlop6Knq++c7OhenJM9iwm0rCo+RuP2E78iuCVAhSPA2ECA5fgtB/57H8CaD
        4DgNA6nNy/aY0wTlWchBbvMlUFoJnYqfIO8p1JDiFgWo7OgdijjVKOqYS4ZeELjR
        N9BT6L3WngjImmB7CmoQfadu06Cn5iPb0Ef2VPwGgRfrB+AEj+eTszAYFiuz2dxv
        ViPPVgCDTbNt9YjbNg0xBfYi7RmX1MfobgDwSc78FLAO3xiXUwOOE5JeFyrofAxn
        f3sGR6cWN/L9sFzLnpJmWUqgW6jGO2Kr6RQrMFEPbWfmjE7NpsvxzWLxCw5wnl0Q
        Qxb7z9+Z8c9g+/Maf1XhnlIg5maVZM5R7qPmeKl5wprpF9p9Wq0w91anj3zMHuuC
        i5FG5IUAZvcFo9F5y/F0LVQNAwjUxe1OH/pBn5upKfTVCUDwrS6DGFnd+KM1RrRs
        MMDQy0lGpdNgZjcVF8luw6YKasPpBUMUroXQmQVJe7EpP3e6RIbwbUzp8mtnpJ3x
        /HVwom5fTeH9NH90PyukEbqEe95QydSrwgecqgZptTnKp5BNUFS7lVAJAC8BkUHX
        cNQPeoktgpHj3R5mqb0UhA8sZuw0peOiQlxNV1c1LSwxsK6ZFd3eLJVMhf/TE88t
        GgDbVv8VGbvZtOMJCs32d5u4yBi3HLDWIEPVYclXzf8G47yi0MYvaCQoD6bXfMXn
        4lBtWVa155AeevPx1XxlS9SYGNmgGKkuMBSg1KzN/AJzX6uzbsThDhmwHPaXOExi
        LDNuw/thMOUt3pXQQ727z6DS+ocnbYuWW38CF3ltziA0QnvTyvJyHK3hQpA3xDXQ
        Y4wpWkoGsm0oz4NVonCN7wuqp9ld5V5ebA0Lq2YeaLmuuTlACtCNdOopdRqepOZQ
        J8jsavXjx4AuIEdM+YTPJDZdYP5SbX+yXXp/vsR6S+HUVlrsrYMZdgBMxFtstvHo
        CloJO+P+uuf/45BsnVdR3yv+JlDMFGXSPuR//fqltFRohW+5GPLcbPRjw7TSe5IF
        Inhh9Y/XSuouGQONBZyWdrC9ocIW/Q+zO6Wc/vdgiUqn4f0r0is4Fg9dpX7cqQwV
        OqlDdyjD3tRzcTU4N/FGbD3q1dIyb92apo1t8ZRdKyBeu0MB1nq5O/74bSgPR/kA
        qz8uQW+PzjuM/bmrOvDvhbKzJbLRERUSm7jYU1Lny/d0X5MFBxACnZo=
        -----END ENCRYPTED PRIVATE KEY-----
        """

    /// RSA with 512 bits.
    static let small = """
        -----BEGIN PRIVATE KEY-----
        MIIBVwIBADANBgkqhkiG9w0BAQEFAASCAUEwggE9AgEAAkEAoENuY9bykSZzK0L+
        n1AUSEG4n6uX9Q17ZIpEli0oIZ70SfaywzEK5gGPMigEOKbWGasGR3OKqO4k5GtJ
        8cQ72wIDAQABAkEAndNKNxBLOR6AdK45SnL2RmJSiwvVTgLE7bIs8SfvSYtNK7Ad
        EfWEW/9HfXe1K1drYukLd+c4suC6uuRHtsOEYQIhAND7adee4g49TM6pu9Ju0Drq
        36DSY4llK9TBxpOOFMo3AiEAxFIBAkqNMFhINsOrgXjOwesr3mq5FoBIXA1jAB+C
        +X0CIQCwTosa5+Ya0UiNSdE1VVvDeQe1bAmhjoMN+XUIY2PSvQIhAJGu7NK/cgCT
        Mpt5HndIp92dX4OAnPMGpSuyP2oi+DWdAiEArhbjwdYmAEZ58hNhSjpnOfRdDvW6
        EZCfOxMssyuX2XI=
        -----END PRIVATE KEY-----
        """

    static let elliptic = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEYmhQ55vzk/eyWj0
        MAV7dWYZM9BvpZmD4X6IkOb2uO2hRANCAARxR9nmgYEyiZ1BM/5E0dKe12KHGMHN
        U+gca+GUMxYvl7teTPoJBKHiEaiqH5Ju7t67TPqd/E4ifE3NBcqylm9f
        -----END PRIVATE KEY-----
        """

    static let notPrivate = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj
        NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz
        P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo
        9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB
        EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX
        FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp
        oQIDAQAB
        -----END PUBLIC KEY-----
        """
}
