//! The product and its world: countries, currencies, plans, courses, clients and words.

/// A country users come from.
pub(crate) struct Country {
    pub(crate) code: &'static str,
    pub(crate) weight: u32,
    /// Local time is this far ahead of UTC.
    pub(crate) offset_minutes: i32,
    /// Index of [`CURRENCIES`].
    pub(crate) currency: u8,
}

const fn country(code: &'static str, weight: u32, offset_minutes: i32, currency: u8) -> Country {
    Country { code, weight, offset_minutes, currency }
}

pub(crate) const COUNTRIES: [Country; 14] = [
    country("US", 18, -300, 0),
    country("DE", 9, 60, 1),
    country("ES", 7, 60, 1),
    country("FR", 6, 60, 1),
    country("GB", 8, 0, 2),
    country("BR", 12, -180, 3),
    country("IN", 14, 330, 4),
    country("JP", 4, 540, 5),
    country("KZ", 7, 300, 6),
    country("MX", 6, -360, 7),
    country("PL", 4, 60, 8),
    country("TR", 3, 180, 9),
    country("ID", 4, 420, 10),
    country("KW", 1, 180, 11),
];

/// A currency plans are sold in.
pub(crate) struct Currency {
    pub(crate) code: &'static str,
    /// Millionths of a US dollar for one unit, at the long-run middle.
    pub(crate) rate: u64,
    /// The cheapest plan's monthly price, in 1/10000 of a unit.
    pub(crate) price: u64,
    /// The smallest coin, in 1/10000 of a unit.
    pub(crate) coin: u64,
}

const fn currency(code: &'static str, rate: u64, price: u64, coin: u64) -> Currency {
    Currency { code, rate, price, coin }
}

/// The first is the currency rates are given in.
pub(crate) const CURRENCIES: [Currency; 12] = [
    currency("USD", 1_000_000, 99_900, 100),
    currency("EUR", 1_085_000, 94_900, 100),
    currency("GBP", 1_270_000, 84_900, 100),
    currency("BRL", 182_400, 299_000, 100),
    currency("INR", 11_700, 3_990_000, 100),
    currency("JPY", 6_690, 15_000_000, 10_000),
    currency("KZT", 1_940, 29_900_000, 10_000),
    currency("MXN", 54_300, 1_490_000, 100),
    currency("PLN", 252_600, 399_900, 100),
    currency("TRY", 25_900, 2_499_900, 100),
    currency("IDR", 61, 990_000_000, 10_000),
    currency("KWD", 3_251_000, 31_250, 10),
];

/// A subscription on sale.
pub(crate) struct Offer {
    pub(crate) plan: &'static str,
    pub(crate) weight: u32,
    pub(crate) months: u32,
    /// Tenths of the currency's cheapest monthly price.
    pub(crate) price_tenths: u64,
    /// Per mille of the subscribers whom each period's end brings to the next.
    pub(crate) renewal: u32,
}

const fn offer(plan: &'static str, weight: u32, months: u32, price_tenths: u64, renewal: u32) -> Offer {
    Offer { plan, weight, months, price_tenths, renewal }
}

pub(crate) const OFFERS: [Offer; 4] = [
    offer("basic-monthly", 50, 1, 10, 790),
    offer("plus-monthly", 25, 1, 18, 840),
    offer("plus-yearly", 18, 12, 144, 560),
    offer("family-yearly", 7, 12, 220, 620),
];

/// A course and how hard it is.
pub(crate) struct Course {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) lessons: u8,
    /// Added to the difficulty of every task.
    pub(crate) difficulty: f64,
}

const fn course(id: &'static str, title: &'static str, lessons: u8, difficulty: f64) -> Course {
    Course { id, title, lessons, difficulty }
}

pub(crate) const COURSES: [Course; 8] = [
    course("algebra-1", "Дроби и проценты", 42, 0.1),
    course("geometry", "The theorem of Pythagoras", 30, 0.5),
    course("english-b1", "Present Perfect", 60, -0.4),
    course("python-intro", "Введение в Python", 36, -0.1),
    course("physics", "Électricité et magnétisme", 28, 0.8),
    course("world-history", "La Révolution française", 45, -0.6),
    course("kazakh-a1", "Қазақ тілі: сәлемдесу", 50, -0.8),
    course("nihongo-n5", "ひらがなとカタカナ", 48, 0.3),
];

/// Tasks of every lesson.
pub(crate) const TASKS: u32 = 12;

/// A kind of client.
pub(crate) struct Platform {
    pub(crate) name: &'static str,
    pub(crate) weight: u32,
    pub(crate) devices: &'static [(&'static str, &'static str)],
}

const fn platform(
    name: &'static str,
    weight: u32,
    devices: &'static [(&'static str, &'static str)],
) -> Platform {
    Platform { name, weight, devices }
}

pub(crate) const PLATFORMS: [Platform; 3] = [
    platform(
        "android",
        46,
        &[
            ("Galaxy A54", "Android 14"),
            ("Pixel 8", "Android 15"),
            ("Redmi Note 12", "Android 13"),
            ("Galaxy S23", "Android 15"),
            ("moto g84", "Android 13"),
        ],
    ),
    platform(
        "ios",
        30,
        &[
            ("iPhone 15", "iOS 18.1"),
            ("iPhone 12", "iOS 17.6"),
            ("iPad Air", "iPadOS 18.1"),
            ("iPhone SE", "iOS 16.7"),
        ],
    ),
    platform(
        "web",
        24,
        &[
            ("Chrome", "Windows 11"),
            ("Safari", "macOS 15"),
            ("Firefox", "Ubuntu 24.04"),
            ("Edge", "Windows 10"),
        ],
    ),
];
pub(crate) const WEB: u8 = 2;

/// How lively each local hour of the day is.
pub(crate) const HOURS: [u32; 24] =
    [8, 4, 2, 1, 1, 3, 10, 24, 34, 38, 40, 42, 40, 38, 42, 50, 58, 66, 74, 80, 76, 60, 38, 18];

/// How lively each day of the week is, from Monday, in per cent.
pub(crate) const WEEKDAYS: [u64; 7] = [112, 108, 105, 98, 82, 84, 111];

pub(crate) const PAGES: [&str; 8] = [
    "/home",
    "/catalog",
    "/pricing",
    "/profile",
    "/course/algebra-1",
    "/leaderboard",
    "/settings",
    "/help/faq",
];
pub(crate) const SOURCES: [&str; 5] = ["push", "email", "feed", "search", "direct"];
pub(crate) const CAMPAIGNS: [&str; 5] =
    ["back_to_school", "spring-sale", "назад_в_школу", "referral", "black-friday"];
pub(crate) const QUERIES: [&str; 8] = [
    "fractions",
    "квадратные уравнения",
    "past simple vs present perfect",
    "¿cómo se dice?",
    "phénomène d'induction",
    "дроби 5 класс",
    "かな",
    "how to solve x² + 2x = 8",
];
pub(crate) const REFERRERS: [&str; 5] = [
    "https://www.google.com/",
    "https://t.me/schoolbell_daily",
    "https://www.bing.com/search?q=learn+fractions",
    "android-app://com.google.android.gm/",
    "https://forum.example.org/t/best-way-to-learn-maths/1742?page=3&utm_source=forum&utm_campaign=spring-sale",
];
pub(crate) const BADGES: [&str; 5] = ["week_streak", "first_hundred", "night_owl", "perfectionist", "海の星"];
/// Written by people: quotation marks, line ends and all.
pub(crate) const COMMENTS: [&str; 6] = [
    "Great lesson, thanks!",
    "Объяснение \"на пальцах\" понравилось больше, чем в школе. Можно ещё задач на проценты? 🙂",
    "The third task says\n\n\t2x + 3 = 11\n\nbut the answer it wants is for 2x - 3 = 11. Please have a look.",
    "C:\\Users\\me\\homework.docx does not upload",
    "いつも楽しく勉強しています。発音の練習がもっとあると嬉しいです。",
    "La explicación del vídeo es clara, pero el ejercicio 4 pide algo que todavía no se ha visto…",
];
